-- PostgreSQL. Parameter: shop (id).
select id, name, alias
from sales_expensetype
where shop_id = %(shop)s
