-- Orders and revenue of each source that has any.
with cell as (
    select shop, source, orders, revenue
    from sales
    where category = $category and brand in $brands and block in $blocks
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    union all
    select shop, source, count(distinct number), 0
    from split
    where category = $category and brand in $brands and day between $first and $last and not returned
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    group by shop, source
),
summed as (
    select shop, source, sum(orders) as orders, sum(revenue) as revenue from cell group by shop, source
)
select summed.source, coalesce(source.name, '') as name, orders, revenue
from summed
left join source on source.shop = summed.shop and source.id = summed.source
where orders > 0
order by revenue desc, summed.shop, summed.source
