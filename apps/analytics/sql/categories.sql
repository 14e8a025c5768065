-- What these categories sold.
select category, sum(quantity) as quantity, sum(revenue) as revenue
from sales
where category in $shown and brand in $brands and $in_blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
group by category
having sum(lines) > 0
order by revenue desc, category
