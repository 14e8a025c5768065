-- PostgreSQL. Every cell of every day, counted plainly. In braces: the text of from_orders.sql. Parameters: shop (id),
-- days (a list), and those of from_orders.sql.
with recursive path as (
    select id as category, id as ancestor, parent_id from catalog_category where shop_id = %(shop)s
    union all
    select path.category, parent.id, parent.parent_id
    from path
    join catalog_category as parent on parent.id = path.parent_id
),
brand as (
    select id, min(id) over (partition by lower(name)) as key from catalog_brand where shop_id = %(shop)s
),
sale as materialized (
    select * from ({orders}) as orders where counts
),
line as materialized (
    select sale.*, product.category_id, brand.key as brand, line.quantity, line.price * line.quantity as amount
    from order_lines as line
    join sale on sale.id = line.order_id
    left join products as product on product.id = line.product_id
    left join brand on brand.id = product.brand_id
),
keyed as (
    select 0 as category, 0 as brand, number, placed_on, source, sales_type, returned, total as amount, 0 as quantity
    from sale
    union all
    select 0, brand, number, placed_on, source, sales_type, returned, amount, quantity from line where brand is not null
    union all
    select ancestor, 0, number, placed_on, source, sales_type, returned, amount, quantity
    from line
    join path on path.category = line.category_id
    union all
    select ancestor, brand, number, placed_on, source, sales_type, returned, amount, quantity
    from line
    join path on path.category = line.category_id
    where brand is not null
)
select
    category, brand, placed_on, source, sales_type,
    count(distinct number) filter (where not returned) as orders,
    count(distinct number) filter (where returned) as returns,
    coalesce(sum(amount) filter (where not returned), 0) as revenue,
    coalesce(sum(amount) filter (where returned), 0) as returned_revenue,
    coalesce(sum(quantity) filter (where not returned), 0) as quantity
from keyed
group by 1, 2, 3, 4, 5
