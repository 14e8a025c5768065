-- From the rows of PostgreSQL, as they came (raw_*), to facts.
create or replace temp view fresh_brand as
select id, name, min(id) over (partition by lower(name)) as key from raw_brands;

create or replace temp view fresh_product as
select product.id, product.name, product.head, coalesce(category_id, 0) as category, coalesce(brand.key, 0) as brand
from raw_products as product
left join fresh_brand as brand on brand.id = product.brand_id;

create or replace temp view fresh_path as
with recursive path as (
    select id as category, id as ancestor, parent_id from raw_categories
    union all
    select path.category, parent.id, parent.parent_id
    from path
    join raw_categories as parent on parent.id = path.parent_id
)
select category, ancestor from path;

create or replace temp view fresh_sale as
select id, number, placed_on as day, source, sales_type as type, counts, returned, buyer_id as buyer, total from raw_orders;

create or replace temp view fresh_line as
select
    sale.id as sale, sale.number, sale.day, sale.source, sale.type, sale.returned, sale.buyer,
    line.product_id as product, coalesce(product.head, 0) as head,
    coalesce(product.category, 0) as category, coalesce(product.brand, 0) as brand,
    line.quantity, (line.price * line.quantity)::decimal(18, 5) as amount, line.unit_cost
from raw_lines as line
join fresh_sale as sale on sale.id = line.order_id and sale.counts
left join fresh_product as product on product.id = line.product_id;

create or replace temp view fresh_expense as
select
    sale.id as sale, sale.number, sale.day, sale.source, sale.type, sale.returned,
    coalesce(expense.type_id, -1) as expense_type, expense.amount
from raw_expenses as expense
join fresh_sale as sale on sale.id = expense.order_id and sale.counts;
