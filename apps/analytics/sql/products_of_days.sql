-- The same of some days and thirds of a month together: a product sells through many sources on many days, and one row
-- of each is sooner handed over than all of them.
select head as key, sum(lines)::bigint as count, sum(quantity)::bigint as quantity, sum(revenue)::bigint as revenue
from product_sales
where $in_blocks and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
group by head
