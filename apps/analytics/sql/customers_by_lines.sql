-- Distinct buyers under a category or a brand: no cube holds them, the lines do.
with bought as (
    select buyer, min(day) as first, max(day) as last
    from line
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands) and day between $first and $last
        and buyer is not null and not returned and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    group by buyer
)
select
    count(*) as buyers, count(*) filter (where first = first_order.day) as new,
    count(*) filter (where last > first_order.day) as returning
from bought
join first_order using (buyer)
