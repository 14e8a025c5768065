-- What the cubes are computed from when a file is built whole: every fact, once.
insert into sale from fresh_sale order by day;
insert into line from fresh_line order by category, day;
insert into expense from fresh_expense order by day;
drop table raw_orders;
drop table raw_lines;
drop table raw_expenses;

create temp table scattered as
with shared as (
    select number, returned from sale where counts group by all having count(*) > 1
)
select number, returned
from sale semi join shared using (number, returned)
where counts
group by all
having min((day, source, type, buyer is null)) <> max((day, source, type, buyer is null));

create temp view part_sale as
select 1 as sign, sale.*, scattered.number is not null as is_split
from sale
left join scattered using (number, returned)
where counts;

create temp view part_line as
select 1 as sign, line.*, scattered.number is not null as is_split
from line
left join scattered using (number, returned);

create temp view part_expense as
select 1 as sign, expense.*, scattered.number is not null as is_split
from expense
left join scattered using (number, returned);

create temp view part_buyer as select 1 as sign, * from sale where buyer is not null and not returned;
