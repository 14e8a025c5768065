-- The sums of every day, in whole numbers: amounts in hundred-thousandths, days from 1970.
select
    source, type, first_day(block) - date '1970-01-01' as day, orders, returns, buyer_orders, revenue, returned_revenue
from sales
where category = $category and brand in $brands and block < 100000000
