-- Distinct buyers under a category or a brand: no cube holds them, the lines do.
with bought as (
    select distinct line.buyer, line.day = first_order.day as is_first
    from line
    join first_order using (buyer)
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands) and line.day between $first and $last
        and not returned and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
)
select count(distinct buyer) as buyers, count(*) filter (where is_first) as new, count(*) filter (where not is_first) as returning
from bought
