-- Every cell of these days. Parameters: days.
with cell as (
    select category, brand, first_day(block) as day, source, type, orders, returns, revenue, returned_revenue, quantity
    from sales
    where block in (select day_block(unnest($days::date[])))
    union all
    select
        category, brand, day, source, type,
        count(distinct number) filter (where not returned), count(distinct number) filter (where returned), 0, 0, 0
    from split
    where day in (select unnest($days::date[]))
    group by category, brand, day, source, type
)
select
    category, brand, day, source, type,
    sum(orders)::bigint as orders, sum(returns)::bigint as returns,
    sum(revenue) * 0.00001, sum(returned_revenue) * 0.00001, sum(quantity) * 0.001
from cell
group by category, brand, day, source, type
having sum(orders) > 0 or sum(returns) > 0 or sum(revenue) <> 0 or sum(returned_revenue) <> 0 or sum(quantity) <> 0
