-- The orders that lie in several cells, with the keys of `sales`: few, and counted when they are asked about.
insert into split
select distinct category, brand, number, returned, day, source, type, buyer is not null
from (
    select 0 as category, 0 as brand, number, returned, day, source, type, buyer from part_sale where sign = 1 and is_split
    union all
    select unnest([0, ancestor, ancestor]), unnest([brand, brand, 0]), number, returned, day, source, type, buyer
    from part_line
    left join category_path using (category)
    where sign = 1 and is_split
)
where category is not null;

insert into split_expense
select distinct unnest([0, expense_type]), sale, number, day, source, type
from part_expense
where sign = 1 and is_split and not returned;
