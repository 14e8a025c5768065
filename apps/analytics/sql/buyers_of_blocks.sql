insert into buyers
select kind, source, type, block, before, buyers
from (from day_buyers union all from third_buyers union all from month_buyers union all from year_buyers)
join audience using (audience)
where buyers <> 0
order by kind, audience, block, before;
