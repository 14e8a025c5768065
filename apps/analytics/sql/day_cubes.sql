-- The day rows of the cubes, from the parts (part_*) between `first` and `last`: what they add (sign 1) less what they
-- take away (sign -1).
create or replace temp table cell as
select row_number() over () as cell, *
from (
    select distinct sign, day, source, type, returned, is_split, buyer is not null as known
    from part_sale
    where day between $first and $last
);

insert into day_sales
with kept_line as (
    select category, brand, number, cell, quantity, amount
    from (select *, buyer is not null as known from part_line where day between $first and $last)
    join cell using (sign, day, source, type, returned, is_split, known)
),
placed as (
    select category_path.ancestor as category, brand, number, cell, quantity, amount
    from kept_line
    join category_path using (category)
),
keyed as (
    select 0 as category, 0 as brand, number, cell, 0 as quantity, total as amount
    from (select *, buyer is not null as known from part_sale where day between $first and $last)
    join cell using (sign, day, source, type, returned, is_split, known)
    union all
    select * from placed where brand <> 0
    union all
    select * replace (0 as brand) from placed
    union all
    select 0, brand, number, cell, quantity, amount from kept_line where brand <> 0
),
sold as (
    select
        category, brand, cell, count(distinct number) as orders, count(*) as lines,
        thousandths(sum(quantity)) as quantity, hundred_thousandths(sum(amount)) as amount
    from keyed
    group by category, brand, cell
)
select
    category, brand, day_block(day), source, type,
    sum(if(returned or is_split, 0, sign * orders)) as orders,
    sum(if(returned and not is_split, sign * orders, 0)) as returns,
    sum(if(known and not returned and not is_split, sign * orders, 0)) as buyer_orders,
    sum(if(returned, 0, sign * lines)) as lines,
    sum(if(returned, 0, sign * amount)) as revenue,
    sum(if(returned, sign * amount, 0)) as returned_revenue,
    sum(if(returned, 0, sign * quantity)) as quantity
from sold
join cell using (cell)
group by all;

insert into day_products
select
    source, type, day_block(day), head, category, brand,
    sum(sign) as lines, thousandths(sum(sign * quantity)) as quantity, hundred_thousandths(sum(sign * amount)) as revenue
from part_line
where not returned and day between $first and $last
group by all;

insert into expenses
with keyed as (
    select * from part_expense where not returned and day between $first and $last
    union all
    select * replace (0 as expense_type) from part_expense where not returned and day between $first and $last
),
spent as (
    select sign, expense_type, number, is_split, day, source, type, count(*) as count, hundred_thousandths(sum(amount)) as amount
    from keyed
    group by all
)
select
    expense_type, day, source, type, sum(if(is_split, 0, sign)) as orders, sum(sign * count) as count, sum(sign * amount) as amount
from spent
group by all;
