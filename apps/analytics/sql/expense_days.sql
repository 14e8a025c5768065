-- Expenses by day, and the orders that have any.
select block, sum(amount) as amount, sum(orders) as orders
from expenses
where expense_type = $expense_type and block between $first_block and $last_block
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by block
having sum(count) > 0
