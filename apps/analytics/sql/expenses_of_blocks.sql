insert into expenses
from (from day_expenses union all from third_expenses union all from month_expenses union all from year_expenses)
order by expense_type, block;
