-- What each brand sold.
select brand, sum(orders) as orders, sum(quantity) as quantity, sum(revenue) as revenue
from brand_sales
where category = $category and (0 in $brands or brand in $brands) and $in_blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by brand
