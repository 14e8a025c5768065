-- Cubes whose sums differ from those of the facts; none, or the file is wrong.
with sums as (
    select
        'orders' as cube, (select coalesce(sum(orders), 0) from sales where category = 0 and brand = 0 and block > 300000000)
            + (select count(*) from (select distinct number, day, source, type from split where category = 0 and brand = 0 and not returned)) as ours,
        (select count(*) from (select distinct number, day, source, type from sale where counts and not returned)) as facts
    union all
    select
        'revenue', (select coalesce(sum(revenue), 0) from sales where category = 0 and brand = 0 and block > 300000000),
        (select coalesce(sum(total), 0) from sale where counts and not returned)
    union all
    select
        'products', (select coalesce(sum(revenue), 0) from product_sales where source = 0 and type = 'all' and block > 300000000),
        (select coalesce(sum(amount), 0) from line where not returned)
    union all
    select
        'expenses', (select coalesce(sum(amount), 0) from expenses where expense_type = 0 and block > 300000000),
        (select coalesce(sum(amount), 0) from expense where not returned)
    union all
    select
        'buyers', (select coalesce(sum(buyers), 0) from ever where source = 0 and type = 'all'),
        (select count(distinct buyer) from sale where counts and not returned)
)
from sums where ours <> facts
