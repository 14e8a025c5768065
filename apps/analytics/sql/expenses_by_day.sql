-- Expenses of every day, in whole numbers: amounts in hundred-thousandths, days from 1970; type 0 stands for all of them.
select expense_type, source, type, day - date '1970-01-01' as day, orders, count, amount
from expenses
