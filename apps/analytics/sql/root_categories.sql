-- The categories that stand below none.
select id, name from category where parent is null order by lower(name), id
