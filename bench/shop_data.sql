-- A shop of three years for the benches: orders of four sources and one of history, 2.2 lines each, 5,000 products,
-- 60 leaf categories on three floors, 200 brands, 7 in 100 wholesale, 8 in 100 returned, repeat buyers, expenses.
-- Parameters: shop (id), orders.
select setseed(0.5);
set local session_replication_role = replica;  -- foreign keys hold by construction; checking them takes most of the time

insert into sales_source (shop_id, external_id, name, currency, role)
values
    (%(shop)s, 1, 'Instagram', 'UAH', 'sales'), (%(shop)s, 2, 'Telegram', 'UAH', 'sales'),
    (%(shop)s, 3, 'Opencart', 'UAH', 'history'), (%(shop)s, 4, 'Shopify', 'UAH', 'sales'),
    (%(shop)s, 5, 'Fair', 'UAH', 'exhibition')
on conflict (shop_id, external_id) do update set name = excluded.name;  -- a new shop in a CRM starts with some

insert into sales_expensetype (shop_id, external_id, name, alias)
select %(shop)s, i, 'Expense ' || i, 'expense_' || i from generate_series(1, 5) as i;

insert into catalog_brand (shop_id, name) select %(shop)s, 'Brand ' || i from generate_series(1, 200) as i;

-- 1 to 8 are roots, 11 to 34 stand below them, 101 to 160 are leaves.
insert into catalog_category (shop_id, external_id, name, parent_id)
select %(shop)s, i, 'Category ' || i, null from generate_series(1, 8) as i;
insert into catalog_category (shop_id, external_id, name, parent_id)
select %(shop)s, i, 'Category ' || i, parent.id
from generate_series(11, 34) as i
join catalog_category as parent on parent.shop_id = %(shop)s and parent.external_id = (1 + i %% 8)::text;
insert into catalog_category (shop_id, external_id, name, parent_id)
select %(shop)s, i, 'Category ' || i, parent.id
from generate_series(101, 160) as i
join catalog_category as parent on parent.shop_id = %(shop)s and parent.external_id = (11 + i %% 24)::text;

-- A brand sells in a few categories; a third of the catalog has none.
insert into products (shop_id, external_id, offer_id, name, is_archived, currency, brand_id, category_id)
select %(shop)s, i, i, 'Product ' || i, false, 'UAH', brand.id, category.id
from (
    select i, 1 + floor(200 * random() ^ 2)::int as brand, floor(5 * random())::int as n, random() as known
    from generate_series(1, 5000) as i
) as made
join catalog_brand as brand on brand.shop_id = %(shop)s and brand.name = 'Brand ' || made.brand
left join catalog_category as category
    on category.shop_id = %(shop)s and category.external_id = (101 + (made.brand * 7 + n) %% 60)::text and known > 0.31;

insert into sales_buyer (shop_id, external_id) select %(shop)s, i from generate_series(1, %(orders)s / 3) as i;

create temporary table made as
select
    i,
    date '2023-01-01' + floor(1096 * random())::int as day,
    (array[1, 1, 1, 1, 2, 2, 4, 4, 4, 4])[1 + floor(10 * random())::int] as source,
    random() as kind, random() as ended, random() as of_buyer, 1 + floor(%(orders)s / 3 * random() ^ 1.5)::int as buyer
from generate_series(1, %(orders)s) as i;

insert into orders (
    shop_id, external_id, order_number, channel, source_id, sales_type, buyer_id, status, raw_status, placed_at,
    placed_on, total, currency
)
select
    %(shop)s, made.i, made.i, source.name, source.id,
    case when source.external_id = 5 then 'exhibition' when kind > 0.93 then 'b2b' else 'retail' end,
    buyer.id,
    case when ended < 0.05 then 'cancelled' when ended < 0.08 then 'returned' else 'delivered' end,
    '', made.day + interval '9 hours', made.day, (200 + 300000 * random())::int / 100.0, 'UAH'
from made
join sales_source as source
    on source.shop_id = %(shop)s
    and source.external_id = case when kind < 0.03 then 5 when kind < 0.06 and day < '2024-01-01' then 3 else source end
left join sales_buyer as buyer on buyer.shop_id = %(shop)s and buyer.external_id = made.buyer and of_buyer > 0.05
order by made.day, made.i;

create temporary table numbered as
select id, row_number() over (order by id) as place from products where shop_id = %(shop)s;
create index on numbered (place);
analyze numbered;

insert into order_lines (order_id, position, product_id, external_product_id, name, quantity, price, unit_cost)
select order_id, position, numbered.id, '', '', quantity, price, price / 2
from (
    select
        orders.id as order_id, position, 1 + floor(5000 * random() ^ 2)::int as place,
        1 + floor(3 * random() ^ 3) as quantity, (100 + 90000 * random())::int / 100.0 as price
    from orders
    cross join lateral generate_series(0, ((random() + orders.id * 0) ^ 2 * 3.6)::int) as position
    where shop_id = %(shop)s
) as line
left join numbered on numbered.place = line.place;

insert into sales_expense (order_id, external_id, type_id, amount)
select orders.id, orders.id, type.id, (1000 + 9000 * random())::int / 100.0
from orders
join sales_expensetype as type on type.shop_id = %(shop)s and type.external_id = 1 + orders.id %% 5
where orders.shop_id = %(shop)s and orders.id %% 4 = 0;

drop table made, numbered;
analyze (skip_locked) orders, order_lines, sales_expense, sales_buyer, products;
