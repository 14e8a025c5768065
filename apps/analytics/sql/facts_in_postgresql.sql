-- PostgreSQL. Counts and sums of what counts as sales, to be found in the file too. In braces: the text of from_orders.sql.
with sale as not materialized (
    select id, total from ({orders}) as orders where counts
)
select *
from (select count(*) as orders, coalesce(sum(total), 0) as total from sale) as sales
cross join (
    select count(*) as lines, coalesce(sum(quantity), 0) as quantity, coalesce(sum(price * quantity), 0) as amount
    from order_lines as line
    join sale on sale.id = line.order_id
) as lines
cross join (
    select count(*) as expenses, coalesce(sum(amount), 0) as expense_amount
    from sales_expense as expense
    join sale on sale.id = expense.order_id
) as expenses
