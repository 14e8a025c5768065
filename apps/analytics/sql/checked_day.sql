-- The days that are compared with the facts. Parameter: days (null: all).
create temp table checked_day as
select day, day_block(day) as block
from (
    select unnest($days::date[]) as day
    union
    select day from sale where $days is null
    union
    select first_day(block) from sales where $days is null and category = 0 and brand = 0 and block < 100000000
)
