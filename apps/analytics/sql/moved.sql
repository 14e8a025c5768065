-- How many products, categories and sources count elsewhere than when the file was written, and how many directories
-- differ at all. What is new moves nothing: its orders are new too.
select
    (
        select count(*) from product as old join fresh_product as new using (id)
        where (old.head, old.category, old.brand) is distinct from (new.head, new.category, new.brand)
    ) + (
        select count(*) from category as old join raw_categories as new using (id)
        where old.parent is distinct from new.parent_id
    ) + (
        select count(*) from source as old join raw_sources as new using (id)
        where (old.role = 'history') <> (new.role = 'history')
    ) as moved,
    (select count(*) from (from product except from fresh_product))
        + (select count(*) from (from fresh_product except from product))
        + (select count(*) from (from category except from raw_categories))
        + (select count(*) from (from raw_categories except from category))
        + (select count(*) from (from source except from raw_sources))
        + (select count(*) from (from raw_sources except from source))
        + (select count(*) from (from brand except from fresh_brand))
        + (select count(*) from (from fresh_brand except from brand))
        + (select count(*) from (from expense_type except from raw_expense_types))
        + (select count(*) from (from raw_expense_types except from expense_type)) as renamed
