-- The orders with expenses that no sum may hold, because their number lies in several cells.
select count(distinct number) as orders
from split_expense
where expense_type = $expense_type and day between $first and $last
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
