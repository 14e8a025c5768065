-- Orders and revenue of each day that has any.
with cell as (
    select block, orders, revenue
    from sales
    where category = $category and brand in $brands and block between $first_block and $last_block
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    union all
    select day_block(day), count(distinct number), 0
    from split
    where category = $category and brand in $brands and day between $first and $last and not returned
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    group by day
)
select block, sum(orders) as orders, sum(revenue) as revenue
from cell
group by block
