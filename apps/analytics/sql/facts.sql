-- The same counts and sums of the file. Parameter: days (null: all).
select
    (select count(*) from sale where counts and ($days is null or list_contains($days, day))) as orders,
    (select coalesce(sum(total), 0) from sale where counts and ($days is null or list_contains($days, day))) as total,
    count(*) as lines,
    coalesce(sum(quantity), 0) as quantity,
    coalesce(sum(amount), 0) as amount,
    (select count(*) from expense where $days is null or list_contains($days, day)) as expenses,
    (select coalesce(sum(amount), 0) from expense where $days is null or list_contains($days, day)) as expense_amount
from line
where $days is null or list_contains($days, day)
