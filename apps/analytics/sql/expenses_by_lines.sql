-- The expenses of orders that have a line of a category or a brand, by day and type; no cube holds them. The row without a
-- day is that of all.
with matching as materialized (
    select day, expense_type, number, amount
    from expense
    where not returned and day between $first and $last and ($expense_type = 0 or expense_type = $expense_type)
        and sale in (
            select sale
            from line
            where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
                and day between $first and $last and not returned
                and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
        )
)
select day, expense_type, sum(amount) as amount, count(*) as count, null as orders
from matching
group by day, expense_type
union all
select null, null, sum(amount), count(*), count(distinct number) from matching
