-- What each brand sold in some blocks.
select block, brand as key, orders as count, quantity, revenue
from brand_sales
where category = $category and (0 in $brands or brand in $brands) and $in_blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
