-- Who bought on which day, of one source and type or of all. Days are counted from 1970.
select
    day - date '1970-01-01' as day, coalesce(before - date '1970-01-01', -1) as before, is_first, is_second, buyers
from buyers
where source = $source and type = $type
order by day
