-- PostgreSQL. Products; those of one family (its variants) are led by the first of them. Parameter: shop (id).
select
    id,
    name,
    min(id) over (partition by case when family = '' then id::text else 'family ' || family end) as head,
    category_id,
    brand_id
from products
where shop_id = %(shop)s
