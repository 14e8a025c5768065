-- How many orders have expenses.
select
    coalesce(sum(orders), 0) + (
        select count(distinct number)
        from split_expense
        where expense_type = $expense_type and day between $first and $last
            and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    )
from expenses
where expense_type = $expense_type and block in $blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
