-- PostgreSQL. The expenses of the shop's orders. Parameters: shop (id), days (null: all).
select expense.order_id, expense.type_id, expense.amount
from sales_expense as expense
join orders on orders.id = expense.order_id
where orders.shop_id = %(shop)s and (%(days)s::date[] is null or orders.placed_on = any(%(days)s::date[]))
