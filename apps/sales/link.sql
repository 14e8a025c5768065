-- Lines that came before their product get it now, by SKU, those of a CRM by the id of the variant; the days they count
-- on are touched. Parameter: shop (id).
with linked as (
    update order_lines as line
    set product_id = products.id
    from orders, products
    where line.product_id is null and orders.id = line.order_id and orders.shop_id = %(shop)s
        and products.shop_id = orders.shop_id and line.external_product_id = case orders.channel
            when 'keycrm' then products.external_id
            else products.sku::text
        end
    returning orders.external_id, orders.placed_on, orders.closed_on
),

days as (
    select unnest(array[placed_on, closed_on]) as day from linked
    union
    select returned_on
    from linked
    join sales_return on sales_return.shop_id = %(shop)s and sales_return.posting_number = linked.external_id
)

insert into sales_touchedday (shop_id, day)
select %(shop)s, day
from days
where day is not null
on conflict do nothing
