-- The orders of known buyers.
select
    coalesce(sum(buyer_orders), 0) + (
        select count(distinct number)
        from split
        where category = $category and brand in $brands and day between $first and $last and not returned and known
            and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
    )
from sales
where category = $category and brand in $brands and block in $blocks
    and ($source = 0 or source = $source) and ($type = 'all' or type = $type)
