create temp view block_sales as
from day_sales union all from third_sales union all from month_sales union all from year_sales;

insert into sales from block_sales order by category, brand, block;
insert into brand_sales from block_sales where brand <> 0 order by category, block;
drop view block_sales;
