-- The categories right below one.
select id, name from category where parent = $category order by lower(name), id
