-- What was sold of each product in every month and year, which hold sums over all sources and types too; in whole
-- numbers, like everything that is kept in memory.
select block, head as key, lines as count, quantity, revenue
from product_sales
where source = $source and type = $type and block > 200000000
    and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
