-- Brands; of those that differ in case alone the first.
select arg_min(name, id) as name from brand group by lower(name) order by lower(name)
