-- Distinct buyers of the period, and what their orders came to.
select
    coalesce(sum(buyers) filter (where kind = 'any'), 0) as buyers,
    coalesce(sum(buyers) filter (where kind = 'new'), 0) as new,
    coalesce(sum(buyers) filter (where kind = 'later'), 0) as returning
from buyers
where source = $source and type = $type and $in_blocks and (before is null or before < $first)
