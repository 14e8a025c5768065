-- The orders with expenses that no sum may hold, because their number lies in several cells.
select count(distinct number) as orders
from split_expense
where expense_type = $expense_type and day between $first and $last
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    and (
        0 in $categories and 0 in $brands
        or sale in (
            select sale
            from line
            where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
        )
    )
