-- PostgreSQL. Counts and sums of what counts as sales, to be found in the file too. In braces: the text of from_orders.sql.
with sale as materialized (
    select id, total from ({orders}) as orders where counts
)
select
    (select count(*) from sale) as orders,
    (select coalesce(sum(total), 0) from sale) as total,
    count(*) as lines,
    coalesce(sum(quantity), 0) as quantity,
    coalesce(sum(price * quantity), 0) as amount,
    (select count(*) from sales_expense as expense join sale on sale.id = expense.order_id) as expenses,
    (select coalesce(sum(amount), 0) from sales_expense as expense join sale on sale.id = expense.order_id) as expense_amount
from order_lines as line
join sale on sale.id = line.order_id
