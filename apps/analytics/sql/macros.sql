-- Blocks of days as numbers, as in blocks.py.
create macro day_block(day) as (year(day) * 10000 + month(day) * 100 + day(day))::integer;
create macro third_block(block) as
    (100000000 + block - block % 100 + case when block % 100 > 20 then 21 when block % 100 > 10 then 11 else 1 end)::integer;
create macro month_block(block) as (200000000 + block % 100000000 - block % 100 + 1)::integer;
create macro year_block(block) as (300000000 + block % 100000000 - block % 10000 + 101)::integer;
create macro first_day(block) as make_date(block % 100000000 // 10000, block // 100 % 100, block % 100);

-- Sums as whole numbers.
create macro hundred_thousandths(amount) as (amount::decimal(38, 5) * 100000)::bigint;
create macro thousandths(quantity) as (quantity::decimal(38, 3) * 1000)::bigint;
