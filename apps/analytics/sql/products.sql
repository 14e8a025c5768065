-- The products that sold most, by the measure `by` ('quantity' or 'revenue'), with the sums of all products.
with cell as (
    select head, category, brand, lines, quantity, revenue
    from product_sales
    where source = $source and type = $type and block in $blocks and block > 200000000
    union all
    select head, category, brand, lines, quantity, revenue
    from product_sales
    where block in $blocks and block < 200000000
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
),
sold as (
    select head, sum(lines) as lines, sum(quantity) as quantity, sum(revenue) as revenue
    from cell
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
    group by head
    having sum(lines) > 0
),
best as (
    select
        head, quantity, revenue, count(*) over () as products, sum(quantity) over () as all_quantity, sum(revenue) over () as all_revenue
    from sold
    order by if($by = 'quantity', quantity, revenue) desc, head
    limit $limit
)
select nullif(best.head, 0), coalesce(product.name, '') as name, quantity, revenue, products, all_quantity, all_revenue
from best
left join product on product.id = best.head
order by if($by = 'quantity', quantity, revenue) desc, best.head
