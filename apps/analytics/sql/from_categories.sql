-- PostgreSQL. Parameter: shop (id).
select id, parent_id, name
from catalog_category
where shop_id = %(shop)s
