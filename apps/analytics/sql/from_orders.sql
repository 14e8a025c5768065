-- PostgreSQL. What is an order of the store. Parameters: shop (id), days (null: all).
-- An order counts as a sale unless its source is history only; one of a source that nobody has classified counts too,
-- as unclassified. Rows that were stored before sources existed are the marketplace's.
-- Several orders under one order number share its hash: 64 bits, so that among ten million numbers any two are one with
-- a chance of three in a million, and no order has to look at the others. The shop is the seed: its numbers are its own.
select
    orders.id,
    hashtextextended(orders.order_number, orders.shop_id) as number,
    orders.placed_on,
    coalesce(source.external_id, 1000 + orders.shop_id) as source,
    orders.sales_type,
    coalesce(source.role, 'sales') <> 'history' as counts,
    orders.status in ('cancelled', 'returned') as returned,
    orders.buyer_id,
    orders.total
from orders
left join sales_source as source on source.id = orders.source_id
where orders.shop_id = %(shop)s and (%(days)s::date[] is null or orders.placed_on = any(%(days)s::date[]))
