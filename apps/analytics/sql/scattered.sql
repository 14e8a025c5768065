-- The orders that no sum may hold, because their number lies in several cells: counted by `day`, `source` or `brand`, or
-- all at once ('').
select
    case $by when 'day' then day - date '1970-01-01' when 'source' then source when 'brand' then brand else 0 end as key,
    count(distinct number) filter (where not returned) as orders,
    count(distinct number) filter (where returned) as returns,
    count(distinct number) filter (where known and not returned) as buyer_orders
from split
where category = $category and if($by = 'brand', brand <> 0 and (0 in $brands or brand in $brands), brand in $brands)
    and day between $first and $last
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by key
