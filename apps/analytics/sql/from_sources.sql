-- PostgreSQL. Parameter: shop (id).
select external_id, name, role
from sales_source
where shop_id = %(shop)s
