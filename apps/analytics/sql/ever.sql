-- All buyers so far.
select
    coalesce(sum(buyers), 0) as buyers, coalesce(sum(repeat_buyers), 0) as repeat_buyers, coalesce(sum(orders), 0) as orders,
    coalesce(sum(spent), 0) as spent, coalesce(sum(repeat_spent), 0) as repeat_spent,
    coalesce(sum(lifespan_days), 0) as lifespan_days
from ever
where source = $source and type = $type
