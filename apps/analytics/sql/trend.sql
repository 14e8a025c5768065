-- Orders, revenue and orders of known buyers of each day that has any.
select block, sum(orders) as orders, sum(revenue) as revenue, sum(buyer_orders) as buyer_orders
from sales
where category = $category and brand in $brands and block between $first_block and $last_block
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by block
