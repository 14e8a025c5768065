-- Where the day rows of the cubes are gathered.
create temp table day_sales as from sales limit 0;
create temp table day_products as from product_sales limit 0;
