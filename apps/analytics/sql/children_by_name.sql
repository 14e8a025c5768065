-- The categories right below those of a name.
select child.id
from category as child
join category as parent on parent.id = child.parent
where lower(parent.name) = lower($parent)
