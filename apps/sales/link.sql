-- Lines that came before their product get it now, by SKU; the days they count on are touched. Parameter: shop (id).
with linked as (
    update order_lines as line
    set product_id = products.id
    from orders, products
    where line.product_id is null and orders.id = line.order_id and orders.shop_id = %(shop)s
        and products.shop_id = orders.shop_id and products.sku::text = line.external_product_id
    returning orders.placed_on, orders.closed_on
)

insert into sales_touchedday (shop_id, day)
select distinct %(shop)s, day
from linked, unnest(array[placed_on, closed_on]) as day
where day is not null
on conflict do nothing
