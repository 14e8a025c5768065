from django.db import migrations

FORWARD = """
create function store_lacks_orders() returns trigger language plpgsql as $$
begin
    insert into analytics_staleday (shop_id, day) select distinct shop_id, placed_on from changed;
    return null;
end
$$;

create function store_lacks_changed_orders() returns trigger language plpgsql as $$
begin
    insert into analytics_staleday (shop_id, day)
    select distinct each.shop_id, each.placed_on
    from before
    join changed on changed.id = before.id
    cross join lateral (values (before.shop_id, before.placed_on), (changed.shop_id, changed.placed_on))
        as each (shop_id, placed_on)
    where (
        before.shop_id, before.order_number, before.source_id, before.sales_type, before.buyer_id, before.placed_on,
        before.total, before.status in ('cancelled', 'returned')
    ) is distinct from (
        changed.shop_id, changed.order_number, changed.source_id, changed.sales_type, changed.buyer_id,
        changed.placed_on, changed.total, changed.status in ('cancelled', 'returned')
    );
    return null;
end
$$;

create function store_lacks_parts_of_orders() returns trigger language plpgsql as $$
begin
    insert into analytics_staleday (shop_id, day)
    select distinct orders.shop_id, orders.placed_on from changed join orders on orders.id = changed.order_id;
    return null;
end
$$;

create trigger orders_store_insert after insert on orders
    referencing new table as changed for each statement execute function store_lacks_orders();
create trigger orders_store_delete after delete on orders
    referencing old table as changed for each statement execute function store_lacks_orders();
create trigger orders_store_update after update on orders
    referencing old table as before new table as changed
    for each statement execute function store_lacks_changed_orders();
create trigger order_lines_store_insert after insert on order_lines
    referencing new table as changed for each statement execute function store_lacks_parts_of_orders();
create trigger order_lines_store_update after update on order_lines
    referencing new table as changed for each statement execute function store_lacks_parts_of_orders();
create trigger order_lines_store_delete after delete on order_lines
    referencing old table as changed for each statement execute function store_lacks_parts_of_orders();
create trigger expenses_store_insert after insert on sales_expense
    referencing new table as changed for each statement execute function store_lacks_parts_of_orders();
create trigger expenses_store_update after update on sales_expense
    referencing new table as changed for each statement execute function store_lacks_parts_of_orders();
create trigger expenses_store_delete after delete on sales_expense
    referencing old table as changed for each statement execute function store_lacks_parts_of_orders();
"""

BACKWARD = """
drop function store_lacks_orders cascade;
drop function store_lacks_changed_orders cascade;
drop function store_lacks_parts_of_orders cascade;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_store_versions"), ("sales", "0004_sources_buyers_and_expenses")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
