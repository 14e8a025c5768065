-- The sales type of orders of one shop, by its rules as they are now. `asked` holds them: id, source_id, manager_id (our
-- ids) and placed_on. An order of a source or a manager that nobody has said anything of, or in other money than the
-- shop's, is unclassified: it is shown as such and never disappears. A manager who is new is such a one, rather than
-- internal, where a new seller's work would be missing from the sales without a word; internal are the days of a manager
-- that lie outside of what was said of them.
select
    asked.id,
    case
        when shop.kind = 'ozon' then 'retail'
        when source.role is null or source.role = '' or source.currency <> shop.currency then 'unclassified'
        when source.role = 'exhibition' then 'exhibition'
        when asked.manager_id is null then 'retail'
        when period.sales_type is not null then period.sales_type
        when exists (select from sales_managerperiod where manager_id = asked.manager_id) then 'internal'
        else 'unclassified'
    end as sales_type
from asked
join shops_shop as shop on shop.id = %(shop)s
left join sales_source as source on source.id = asked.source_id
left join sales_managerperiod as period
    on period.manager_id = asked.manager_id and asked.placed_on <@ daterange(period.starts_on, period.ends_on)
