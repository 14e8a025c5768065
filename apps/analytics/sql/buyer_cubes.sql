-- The cubes of buyers, from all orders of the buyers in question (part_buyer): what they add less what they take away.
-- An audience is the buyers of one source or all, of one type or all: every order is seen by four.
create temp table audience as
select (row_number() over (order by source, type))::smallint as audience, source, type
from (
    select distinct unnest([source, source, 0, 0]) as source, unnest([type, 'all', type, 'all']) as type
    from part_buyer
    where counts
);

create temp table bought as
with seen as (
    select each.source, each.type, audience
    from (select distinct source, type from part_buyer where counts) as each
    join audience on audience.source in (0, each.source) and audience.type in ('all', each.type)
)
select sign, audience, buyer, number, day, total
from part_buyer
join seen using (source, type)
where counts;

insert into buyers
with known as (
    select sign, buyer, min(day) as first_day from part_buyer group by all
),
visited as (
    select distinct sign, audience, buyer, day from bought
),
visit as (
    select sign, audience, day, first_day, lag(day) over (partition by buyer, audience, sign order by day) as before
    from visited
    join known using (sign, buyer)
),
counted as (
    select
        audience, day, before, day = first_day as is_first, coalesce(before = first_day, false) as is_second,
        sum(sign)::bigint as buyers
    from visit
    group by all
    having sum(sign) <> 0
)
select source, type, day, before, is_first, is_second, buyers
from counted
join audience using (audience)
order by source, type, day, before;

insert into ever
with each as (
    select sign, audience, count(distinct number) as orders, sum(total) as spent, max(day) - min(day) as days
    from bought
    group by sign, audience, buyer
)
select
    source, type, sum(sign), sum(if(orders > 1, sign, 0)), sum(sign * orders),
    sum(sign * spent), sum(if(orders > 1, sign * spent, 0)), sum(sign * days)
from each
join audience using (audience)
group by all;

delete from first_order where buyer in (select buyer from part_buyer);
insert into first_order select buyer, min(day) from part_buyer where sign = 1 group by buyer order by buyer;

drop table bought;
