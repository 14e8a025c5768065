-- Orders, returns and their revenue, and the orders of known buyers.
with cell as (
    select orders, returns, buyer_orders, revenue, returned_revenue
    from sales
    where category = $category and brand in $brands and block in $blocks
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
),
scattered as (
    select number, returned, bool_or(known) as known
    from split
    where category = $category and brand in $brands and day between $first and $last
        and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    group by number, returned
)
select
    coalesce(sum(orders), 0) + (select count(*) from scattered where not returned) as orders,
    coalesce(sum(revenue), 0) as revenue,
    coalesce(sum(returns), 0) + (select count(*) from scattered where returned) as returns,
    coalesce(sum(returned_revenue), 0) as returned_revenue,
    coalesce(sum(buyer_orders), 0) + (select count(*) from scattered where known and not returned) as buyer_orders
from cell
