-- What was sold in days and thirds of a month.
select head, lines, quantity, revenue
from product_sales
where $in_small_blocks and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
