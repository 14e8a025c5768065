-- Orders, returns and their revenue.
with cell as (
    select orders, returns, revenue, returned_revenue
    from sales
    where category = $category and brand in $brands and block in $blocks
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
),
scattered as (
    select distinct number, returned
    from split
    where category = $category and brand in $brands and day between $first and $last
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
)
select
    coalesce(sum(orders), 0) + (select count(*) from scattered where not returned) as orders,
    coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(returns), 0) + (select count(*) from scattered where returned) as returns,
    coalesce(sum(returned_revenue), 0) as returned_revenue
from cell
