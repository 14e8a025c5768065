-- Days (of checked_day) on which a cube differs from the facts, and cubes whose larger blocks differ from all their days;
-- none, or the file is wrong.
with each as (
    select 'orders' as cube, day, orders as n
    from sales join checked_day using (block)
    where category = 0 and brand = 0
    union all
    select 'orders', day, count(*)
    from (select distinct day, number, source, type from split where category = 0 and brand = 0 and not returned)
    semi join checked_day using (day)
    group by day
    union all
    select 'orders', day, -count(*)
    from (
        select distinct day, number, source, type
        from sale semi join checked_day using (day)
        where counts and not returned
    )
    group by day
    union all
    select 'revenue', day, sum(revenue) * 0.00001
    from sales join checked_day using (block)
    where category = 0 and brand = 0
    group by day
    union all
    select 'revenue', day, -total from sale semi join checked_day using (day) where counts and not returned
    union all
    select 'products', day, sum(revenue) * 0.00001 from product_sales join checked_day using (block) group by day
    union all
    select 'products', day, -amount from line semi join checked_day using (day) where not returned
    union all
    select 'expenses', day, sum(amount) * 0.00001
    from expenses semi join checked_day using (day)
    where expense_type = 0
    group by day
    union all
    select 'expenses', day, -amount from expense semi join checked_day using (day) where not returned
    union all
    select 'buyers', day, buyers
    from buyers semi join checked_day using (day)
    where source = 0 and type = 'all'
    union all
    select 'buyers', day, -count(distinct buyer)
    from sale semi join checked_day using (day)
    where counts and not returned
    group by day
    union all
    select 'ever', null, buyers from ever where source = 0 and type = 'all'
    union all
    select 'ever', null, -buyers
    from buyers
    where source = 0 and type = 'all' and before is null
),
levels as (
    select 'orders' as cube, block // 100000000 as level, orders as n from sales where category = 0 and brand = 0
    union all
    select 'revenue', block // 100000000, revenue from sales where category = 0 and brand = 0
    union all
    select 'products', block // 100000000, revenue
    from product_sales
    where block < 200000000 or (source = 0 and type = 'all')
    union all
    select cube, level, 0 from (values ('orders'), ('revenue'), ('products')) as cubes (cube), range(4) as levels (level)
),
summed as (
    select cube, level, sum(n) as n from levels group by cube, level
)
select cube, day::varchar, sum(n) from each group by cube, day having sum(n) <> 0
union all
select cube, 'blocks', max(n) - min(n) from summed group by cube having max(n) <> min(n)
