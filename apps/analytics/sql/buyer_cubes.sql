-- The cubes of buyers, from all orders of the buyers in question (part_buyer): what they add less what they take away.
create or replace temp view each_buyer as
select sign, unnest([source, source, 0, 0]) as source, unnest([type, 'all', type, 'all']) as type, buyer, number, day, total
from part_buyer
where counts;

create or replace temp view visit as
with known as (
    select sign, buyer, min(day) as first_day from part_buyer group by all
),
visited as (
    select distinct sign, source, type, buyer, day from each_buyer
)
select *, lag(day) over (partition by sign, source, type, buyer order by day) as before
from visited
join known using (sign, buyer);

insert into buyers
with visit as materialized (
    select sign, source, type, day, day = first_day as is_first, before, if(before > first_day, before, null) as before_later, count(*) as n
    from visit
    group by all
),
counted as (
    select 'any' as kind, source, type, day, before, sign * n as n from visit
    union all
    select 'later', source, type, day, before_later, sign * n from visit where not is_first
    union all
    select 'new', source, type, day, null, sign * n from visit where is_first
),
summed as (
    select kind, source, type, day, before, sum(n) as n from counted group by all
),
blocked as (
    select
        kind, source, type, before, n, day_block(day) as block_of_day,
        unnest([block_of_day, third_block(block_of_day), month_block(block_of_day), year_block(block_of_day)]) as block
    from summed
)
select kind, source, type, block, before, sum(n)
from blocked
where before is null or before < first_day(block)
group by all
having sum(n) <> 0
order by kind, source, type, block, before;

insert into ever
with ordered as (
    select sign, source, type, buyer, number, min(day) as first_day, max(day) as last_day, sum(total) as total
    from each_buyer
    group by all
),
bought as (
    select sign, source, type, count(*) as orders, sum(total) as spent, max(last_day) - min(first_day) as days
    from ordered
    group by sign, source, type, buyer
)
select
    source, type, sum(sign), sum(if(orders > 1, sign, 0)), sum(sign * orders),
    sum(sign * spent), sum(if(orders > 1, sign * spent, 0)), sum(sign * days)
from bought
group by all;

delete from first_order where buyer in (select buyer from part_buyer);
insert into first_order select buyer, min(day) from part_buyer where sign = 1 group by buyer order by buyer;
