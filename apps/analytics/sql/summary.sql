-- Orders, returns and their revenue; nulls when there is nothing.
select
    sum(orders) as orders, sum(revenue) as revenue, sum(returns) as returns, sum(returned_revenue) as returned_revenue
from sales
where category = $category and brand in $brands and block in $blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
