-- What the cubes are computed from when some days are stale. Everything in them is a sum over order numbers, and over
-- buyers, so only the orders that differ are looked at: with all their rows, taken away as they were (sign -1) and
-- added as they are (sign 1). stale_day holds the days.
create temp table changed_number as
with differing as (
    select number from (from sale semi join stale_day using (day) except all from fresh_sale)
    union
    select number from (from fresh_sale except all from sale semi join stale_day using (day))
    union
    select number from (from line semi join stale_day using (day) except all from fresh_line)
    union
    select number from (from fresh_line except all from line semi join stale_day using (day))
    union
    select number from (from expense semi join stale_day using (day) except all from fresh_expense)
    union
    select number from (from fresh_expense except all from expense semi join stale_day using (day))
)
select distinct number from differing;

create temp table changed_buyer as
select buyer from sale semi join changed_number using (number) where buyer is not null
union
select buyer from fresh_sale semi join changed_number using (number) where buyer is not null;

create temp table old_sale as from sale semi join changed_number using (number);
create temp table old_line as from line semi join changed_number using (number);
create temp table old_expense as from expense semi join changed_number using (number);
create temp table old_buyer as from sale semi join changed_buyer using (buyer);

delete from sale where day in (from stale_day) and number in (from changed_number);
delete from line where day in (from stale_day) and number in (from changed_number);
delete from expense where day in (from stale_day) and number in (from changed_number);
insert into sale from fresh_sale semi join changed_number using (number);
insert into line from fresh_line semi join changed_number using (number) order by category, day;
insert into expense from fresh_expense semi join changed_number using (number);
delete from split where number in (from changed_number);
delete from split_expense where number in (from changed_number);

create temp table all_sale as
select -1 as sign, * from old_sale where counts
union all
select 1, * from sale semi join changed_number using (number) where counts;

create temp table part_sale as
select *, min((day, source, type, buyer is null)) over cell <> max((day, source, type, buyer is null)) over cell as is_split
from all_sale
window cell as (partition by sign, number, returned);

create temp table part_line as
with each as (
    select -1 as sign, * from old_line
    union all
    select 1, * from line semi join changed_number using (number)
)
select each.*, scattered.number is not null as is_split
from each
left join (select distinct sign, number, returned from part_sale where is_split) as scattered using (sign, number, returned);

create temp table part_expense as
with each as (
    select -1 as sign, * from old_expense
    union all
    select 1, * from expense semi join changed_number using (number)
)
select each.*, scattered.number is not null as is_split
from each
left join (select distinct sign, number, returned from part_sale where is_split) as scattered using (sign, number, returned);

create temp table part_buyer as
select -1 as sign, * from old_buyer where not returned
union all
select 1, * from sale semi join changed_buyer using (buyer) where not returned;
