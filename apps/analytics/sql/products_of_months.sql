-- What was sold in months and years, which hold sums over all sources and types too.
select head, lines, quantity, revenue
from product_sales
where source = $source and type = $type and $in_large_blocks
    and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
