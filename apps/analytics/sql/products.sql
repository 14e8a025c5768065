-- The products that sold most, by the measure `by` ('quantity' or 'revenue'), and the sums of all products. Larger blocks
-- hold sums over all sources and types too, smaller ones do not.
with cell as (
    select head, category, brand, lines, quantity, revenue
    from product_sales
    where source = $source and type = $type and block in $large_blocks
    union all
    select head, category, brand, lines, quantity, revenue
    from product_sales
    where block in $small_blocks and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
),
sold as (
    select head, sum(quantity) as quantity, sum(revenue) as revenue
    from cell
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
    group by head
    having sum(lines) > 0
)
select
    count(*) as products, sum(quantity) as quantity, sum(revenue) as revenue,
    max((if($by = 'quantity', quantity, revenue), -head, quantity, revenue), $limit) as best
from sold
