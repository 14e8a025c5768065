-- The day rows of the cubes, from the parts (part_*) between `first` and `last`: what they add (sign 1) less what they
-- take away (sign -1). Distinct orders: first one row per order number and cell, then a count of rows.
insert into day_sales
with placed as (
    select sign, category_path.ancestor as category, brand, number, returned, is_split, day, source, type, buyer, quantity, amount
    from part_line
    join category_path using (category)
    where day between $first and $last
),
keyed as (
    select sign, 0 as category, 0 as brand, number, returned, is_split, day, source, type, buyer, 0 as quantity, total as amount
    from part_sale
    where day between $first and $last
    union all
    select * from placed where brand <> 0
    union all
    select * replace (0 as brand) from placed
    union all
    select sign, 0, brand, number, returned, is_split, day, source, type, buyer, quantity, amount
    from part_line
    where brand <> 0 and day between $first and $last
),
sold as (
    select
        sign, category, brand, number, returned, is_split, day, source, type,
        bool_or(buyer is not null) as known, count(*) as lines, sum(quantity) as quantity, sum(amount) as amount
    from keyed
    group by all
)
select
    category, brand, day_block(day), source, type,
    sum(case when returned or is_split then 0 else sign end) as orders,
    sum(case when returned and not is_split then sign else 0 end) as returns,
    sum(case when known and not returned and not is_split then sign else 0 end) as buyer_orders,
    sum(case when returned then 0 else sign * lines end) as lines,
    sum(case when returned then 0 else sign * amount end) as revenue,
    sum(case when returned then sign * amount else 0 end) as returned_revenue,
    sum(case when returned then 0 else sign * quantity end) as quantity
from sold
group by all;

insert into day_products
select
    coalesce(source, 0), coalesce(type, 'all'), day_block(day), head, category, brand,
    sum(sign) as lines, sum(sign * quantity) as quantity, sum(sign * amount) as revenue
from part_line
where not returned and day between $first and $last
group by grouping sets (
    (source, type, day, head, category, brand), (source, day, head, category, brand), (type, day, head, category, brand),
    (day, head, category, brand)
);

insert into day_expenses
with keyed as (
    select * from part_expense where not returned and day between $first and $last
    union all
    select * replace (0 as expense_type) from part_expense where not returned and day between $first and $last
),
spent as (
    select sign, expense_type, number, is_split, day, source, type, count(*) as count, sum(amount) as amount
    from keyed
    group by all
)
select
    expense_type, day_block(day), source, type, sum(if(is_split, 0, sign)) as orders, sum(sign * count) as count, sum(sign * amount) as amount
from spent
group by all;
