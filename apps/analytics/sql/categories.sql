-- What each category sold in some blocks.
select block, category as key, lines as count, quantity, revenue
from sales
where category in $shown and brand in $brands and $in_blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
