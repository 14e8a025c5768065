-- The products that sold most by {measure}, and the sums of all products. In braces: quantity or revenue, and what was
-- sold (the texts of products_of_months.sql and products_of_days.sql, one or both).
with sold as (
    select head, sum(quantity) as quantity, sum(revenue) as revenue
    from ({sold})
    group by head
    having sum(lines) > 0
)
select
    count(*) as products, sum(quantity) as quantity, sum(revenue) as revenue,
    max(({measure}, -head, quantity, revenue), $limit) as best
from sold
