-- What each brand sold, by revenue.
with cell as (
    select brand, orders, quantity, revenue
    from brand_sales
    where category = $category and (0 in $brands or brand in $brands) and block in $blocks
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    union all
    select brand, count(distinct number), 0, 0
    from split
    where category = $category and brand <> 0 and (0 in $brands or brand in $brands) and day between $first and $last
        and not returned and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    group by brand
),
summed as (
    select brand, sum(orders) as orders, sum(quantity) as quantity, sum(revenue) as revenue
    from cell
    group by brand
    having sum(orders) > 0
)
select
    arg_min(brand.name, brand.id) as name, sum(orders)::bigint as orders, sum(quantity) as quantity, sum(revenue) as revenue
from summed
join brand on brand.id = summed.brand
group by lower(brand.name)
order by revenue desc, name
