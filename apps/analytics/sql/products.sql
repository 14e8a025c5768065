-- The products that sold most, by the measure `by` ('quantity' or 'revenue'), and the sums of all products.
with sold as (
    select head, sum(quantity) as quantity, sum(revenue) as revenue
    from product_sales
    where source = $source and type = $type and block in $blocks
        and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
    group by head
    having sum(lines) > 0
)
select
    count(*) as products, sum(quantity) as quantity, sum(revenue) as revenue,
    max((if($by = 'quantity', quantity, revenue), -head, quantity, revenue), $limit) as best
from sold
