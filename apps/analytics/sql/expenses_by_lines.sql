-- The expenses of orders that have a line of a category or a brand: no cube holds them. Rows of days ('day'), of types
-- ('type') and of all ('all').
with matching as (
    select distinct sale
    from line
    where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
        and day between $first and $last and not returned
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
)
select
    case grouping(day, expense_type) when 1 then 'day' when 2 then 'type' else 'all' end as kind, day, expense_type,
    sum(amount) as amount, count(*) as count, count(distinct number) as orders
from expense
join matching using (sale)
where not returned and day between $first and $last and ($expense_type = 0 or expense_type = $expense_type)
group by grouping sets ((day), (expense_type), ())
having count(*) > 0
order by amount desc, expense_type
