-- Expenses by type.
select expense_type, sum(amount) as amount, sum(count)::bigint as count
from expenses
where expense_type <> 0 and ($expense_type = 0 or expense_type = $expense_type) and block in $blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by expense_type
having sum(count) > 0
order by amount desc, expense_type
