-- PostgreSQL. Parameter: shop (id).
select id, name
from catalog_brand
where shop_id = %(shop)s
