-- Types of expenses.
select id, name, alias from expense_type order by lower(name), id
