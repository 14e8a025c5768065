-- Orders and revenue of each source.
select source, sum(orders) as orders, sum(revenue) as revenue
from sales
where category = $category and brand in $brands and block in $blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by source
