-- PostgreSQL. The lines of the shop's orders. Parameters: shop (id), days (null: all).
select line.order_id, line.product_id, line.quantity, line.price, line.unit_cost
from order_lines as line
join orders on orders.id = line.order_id
where orders.shop_id = %(shop)s and (%(days)s::date[] is null or orders.placed_on = any(%(days)s::date[]))
