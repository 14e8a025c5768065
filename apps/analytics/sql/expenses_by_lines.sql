-- The same of the orders that have a line of a category or a brand: no cube holds it, the facts do.
with matching as (
    select unnest([0, expense_type]) as expense_type, source, type, day, number, amount
    from expense
    where not returned and sale in (
        select sale
        from line
        where (0 in $categories or category in $categories) and (0 in $brands or brand in $brands) and not returned
    )
)
select
    expense_type, source, type, day - date '1970-01-01' as day,
    count(distinct number) filter (number not in (select number from split_expense)) as orders, count(*) as count,
    hundred_thousandths(sum(amount)) as amount
from matching
group by all
