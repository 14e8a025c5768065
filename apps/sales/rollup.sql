-- The facts of some days of one shop, rebuilt whole: rows that differ are written, rows that say nothing are removed.
-- Parameters: shop (id), days (date[]), mornings (days and the days after them), events_from (date or null: no
-- cancellation or return is known by its own day).
with sold as (
    select
        line.product_id,
        placed_on as day,
        sum(quantity) as units,
        sum(quantity * price) as revenue,
        coalesce(sum(quantity) filter (where status = 'cancelled'), 0) as cancelled_units,
        coalesce(sum(quantity * price) filter (where status = 'cancelled'), 0) as cancelled_revenue,
        coalesce(sum(quantity) filter (where status = 'returned'), 0) as returned_units,
        coalesce(sum(quantity * price) filter (where status = 'returned'), 0) as returned_revenue
    from orders
    join order_lines as line on line.order_id = orders.id
    where shop_id = %(shop)s and placed_on = any(%(days)s::date[]) and line.product_id is not null
    group by 1, 2
),

ended as (
    select
        line.product_id,
        closed_on as day,
        coalesce(sum(quantity) filter (where status = 'cancelled'), 0) as cancellations,
        coalesce(sum(quantity) filter (where status = 'returned'), 0) as returns
    from orders
    join order_lines as line on line.order_id = orders.id
    where shop_id = %(shop)s and closed_on = any(%(days)s::date[]) and closed_on >= %(events_from)s::date
        and line.product_id is not null
    group by 1, 2
),

-- Postings with returns that were sold, or of which something came back, on one of the days.
touched as (
    select posting_number
    from sales_return as sent
    join orders on orders.shop_id = sent.shop_id and orders.external_id = sent.posting_number
    where sent.shop_id = %(shop)s and (placed_on = any(%(days)s::date[]) or returned_on = any(%(days)s::date[]))
),

-- Returns that leave their order as it is: of the line's product, at the line's price. Of a posting no more units of a
-- product come back than were in it: what the marketplace counts beyond that is in no fact (`returns.py` tells it).
sent_back as (
    select
        line.product_id,
        placed_on,
        returned_on,
        line.price,
        greatest(least(sent.quantity, line.sold - sent.before), 0) as quantity
    from (
        select
            *,
            coalesce(sum(quantity) over (
                partition by posting_number, sku
                order by returned_on, id
                rows between unbounded preceding and 1 preceding
            ), 0) as before
        from sales_return
        where shop_id = %(shop)s and returned_on is not null
            and posting_number in (select posting_number from touched)
    ) as sent
    join orders on orders.shop_id = sent.shop_id and orders.external_id = sent.posting_number
    cross join lateral (
        select product_id, price, sum(quantity) over () as sold
        from order_lines
        where order_id = orders.id and external_product_id = sent.sku
        order by position
        limit 1
    ) as line
    where status not in ('cancelled', 'returned') and line.product_id is not null
),

returned_since as (
    select product_id, placed_on as day, sum(quantity) as units, sum(quantity * price) as revenue
    from sent_back
    where placed_on = any(%(days)s::date[])
    group by 1, 2
),

came_back as (
    select product_id, returned_on as day, sum(quantity) as units
    from sent_back
    where returned_on = any(%(days)s::date[]) and returned_on >= %(events_from)s::date
    group by 1, 2
),

mornings as (
    select product_id, day, sum(present - reserved) > 0 as stocked
    from inventory
    join catalog_warehouse as warehouse on warehouse.id = inventory.warehouse_id
    where warehouse.shop_id = %(shop)s and day = any(%(mornings)s::date[])
    group by 1, 2
),

-- A day is stocked when both its mornings are, and empty when one of them is; otherwise nobody knows.
stock as (
    select product_id, day, case when not bool_and(stocked) then false when count(*) = 2 then true end as in_stock
    from (select product_id, day, stocked from mornings union all select product_id, day - 1, stocked from mornings) as ends
    where day = any(%(days)s::date[])
    group by 1, 2
),

facts as materialized (
    select
        product_id,
        day,
        coalesce(sold.units, 0) as units,
        coalesce(sold.revenue, 0) as revenue,
        coalesce(cancelled_units, 0) as cancelled_units,
        coalesce(cancelled_revenue, 0) as cancelled_revenue,
        coalesce(returned_units, 0) + coalesce(returned_since.units, 0) as returned_units,
        coalesce(returned_revenue, 0) + coalesce(returned_since.revenue, 0) as returned_revenue,
        case when day >= %(events_from)s::date then coalesce(cancellations, 0) end as cancellations,
        case when day >= %(events_from)s::date then coalesce(returns, 0) + coalesce(came_back.units, 0) end as returns,
        in_stock
    from sold
    full join ended using (product_id, day)
    full join came_back using (product_id, day)
    full join returned_since using (product_id, day)
    full join stock using (product_id, day)
),

gone as (
    delete from sales
    using products
    where products.id = sales.product_id and products.shop_id = %(shop)s and sales.day = any(%(days)s::date[])
        and not exists (
            select from facts where facts.product_id = sales.product_id and facts.day = sales.day
        )
)

insert into sales (
    product_id, day, units, revenue, cancelled_units, cancelled_revenue, returned_units, returned_revenue,
    cancellations, returns, in_stock
)
select * from facts
order by product_id, day
on conflict (product_id, day) do update set
    units = excluded.units,
    revenue = excluded.revenue,
    cancelled_units = excluded.cancelled_units,
    cancelled_revenue = excluded.cancelled_revenue,
    returned_units = excluded.returned_units,
    returned_revenue = excluded.returned_revenue,
    cancellations = excluded.cancellations,
    returns = excluded.returns,
    in_stock = excluded.in_stock
where (
    sales.units, sales.revenue, sales.cancelled_units, sales.cancelled_revenue, sales.returned_units,
    sales.returned_revenue, sales.cancellations, sales.returns, sales.in_stock
) is distinct from (
    excluded.units, excluded.revenue, excluded.cancelled_units, excluded.cancelled_revenue, excluded.returned_units,
    excluded.returned_revenue, excluded.cancellations, excluded.returns, excluded.in_stock
)
