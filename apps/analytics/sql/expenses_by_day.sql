-- The same of expenses; type 0 stands for all of them.
select
    expense_type, source, type, first_day(block) - date '1970-01-01' as day, orders, count,
    (amount::decimal(38, 2) * 100000)::bigint as amount
from expenses
where block < 100000000
