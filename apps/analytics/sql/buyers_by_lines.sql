-- The same of a category or a brand: no cube holds it, the lines do.
with visited as (
    select distinct buyer, day
    from line
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type) and not returned and buyer is not null
),
visit as (
    select visited.day, first_order.day as first_day, lag(visited.day) over (partition by buyer order by visited.day) as before
    from visited
    join first_order using (buyer)
)
select
    day - date '1970-01-01' as day, coalesce(before - date '1970-01-01', -1) as before,
    day = first_day as is_first, coalesce(before = first_day, false) as is_second, count(*) as buyers
from visit
group by all
order by day
