-- PostgreSQL. What is an order of the store. Parameters: shop (id), days (null: all).
-- An order counts as a sale unless its source is history only; one of a source that nobody has classified counts too,
-- as unclassified. Rows that were stored before sources existed are the marketplace's.
-- The number of several orders under one order number is the first's: found at once for all, one by one for a few days.
select
    orders.id,
    case
        when %(days)s::date[] is null then coalesce(shared.number, orders.id)
        else (select min(same.id) from orders as same where (same.shop_id, same.order_number) = (orders.shop_id, orders.order_number))
    end as number,
    orders.placed_on,
    coalesce(source.external_id, 1000 + orders.shop_id) as source,
    orders.sales_type,
    coalesce(source.role, 'sales') <> 'history' as counts,
    orders.status in ('cancelled', 'returned') as returned,
    orders.buyer_id,
    orders.total
from orders
left join sales_source as source on source.id = orders.source_id
left join (
    select order_number, min(id) as number
    from orders
    where shop_id = %(shop)s and %(days)s::date[] is null
    group by order_number
    having count(*) > 1
) as shared using (order_number)
where orders.shop_id = %(shop)s and (%(days)s::date[] is null or orders.placed_on = any(%(days)s::date[]))
