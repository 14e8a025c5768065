-- Days and thirds have few rows of each product: there the sums over all sources and types are left to the question.
insert into product_sales from (from day_products union all from third_products) order by block, head;

insert into product_sales by name
select
    coalesce(source, 0) as source, coalesce(type, 'all') as type, block, head, category, brand,
    sum(lines) as lines, sum(quantity) as quantity, sum(revenue) as revenue
from (from month_products union all from year_products)
group by grouping sets (
    (source, type, block, head, category, brand), (source, block, head, category, brand), (type, block, head, category, brand),
    (block, head, category, brand)
)
order by source, type, block, head;
