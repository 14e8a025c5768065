-- Names of products.
select id, name from product where id in $products
