-- Names and trees, as they are now.
delete from source; insert into source from raw_sources;
delete from product; insert into product from fresh_product;
delete from category; insert into category from raw_categories;
delete from category_path; insert into category_path from fresh_path;
delete from brand; insert into brand from fresh_brand;
delete from expense_type; insert into expense_type from raw_expense_types;
