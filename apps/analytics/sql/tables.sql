-- What a file of the store is made of.
--
-- Facts: `sale` (orders, history included), `line` (of orders that count), `expense`. In them `number` stands for the
-- order number, `head` for a product with its variants, and 0 for a category or brand that is not known.
--
-- Cubes, all of them sums: by day, or by `block`, which is a day, a third of a month, a month or a year (blocks.py), so
-- that a period is few rows and never an estimate. In their keys 0 and 'all' stand for everything. A row may be there
-- twice and count less than nothing: a change is added as its difference. Everything in them is a whole number: amounts
-- are hundred-thousandths, quantities thousandths.
create table sale (
    id bigint, number bigint, day date, source bigint, type varchar, counts boolean, returned boolean, buyer bigint,
    total decimal(18, 2)
);
create table line (
    sale bigint, number bigint, day date, source bigint, type varchar, returned boolean, buyer bigint,
    product bigint, head bigint, category bigint, brand bigint,
    quantity decimal(18, 3), amount decimal(18, 5), unit_cost decimal(18, 2)
);
create table expense (
    sale bigint, number bigint, day date, source bigint, type varchar, returned boolean, expense_type bigint,
    amount decimal(18, 2)
);

-- Revenue of everything is the orders' totals, of a category or a brand its lines'; a category holds its descendants.
-- Orders whose number lies in several cells of (day, source, type, known buyer or not) cannot be added up: they are
-- counted in `split`.
create table sales (
    category bigint, brand bigint, block integer, source bigint, type varchar,
    orders bigint, returns bigint, buyer_orders bigint, lines bigint, revenue bigint, returned_revenue bigint, quantity bigint
);
create table brand_sales as from sales;  -- the rows that have a brand, in the order in which brands are compared
create table split (
    category bigint, brand bigint, number bigint, returned boolean, day date, source bigint, type varchar, known boolean
);
-- Sums over all sources or all types are there for months and years alone: those of a few days are quickly added up.
create table product_sales (
    source bigint, type varchar, block integer, head bigint, category bigint, brand bigint,
    lines bigint, quantity bigint, revenue bigint
);
create table expenses (
    expense_type bigint, day date, source bigint, type varchar, orders bigint, count bigint, amount bigint
);
create table split_expense (expense_type bigint, sale bigint, number bigint, day date, source bigint, type varchar);

-- Who bought on a day: `before` is the last day on which these buyers had bought before, of this source and type (null:
-- none). Whether it is their first day, or the day before was, is said of orders of any source and type.
create table buyers (
    source bigint, type varchar, day date, before date, is_first boolean, is_second boolean, buyers bigint
);
create table ever (
    source bigint, type varchar, buyers bigint, repeat_buyers bigint, orders bigint,
    spent decimal(18, 2), repeat_spent decimal(18, 2), lifespan_days bigint
);

create table first_order (buyer bigint, day date);  -- of any source and type, history included

create table source (id bigint, name varchar, role varchar);
create table product (id bigint, name varchar, head bigint, category bigint, brand bigint);
create table category (id bigint, parent bigint, name varchar);
create table category_path (category bigint, ancestor bigint);
create table brand (id bigint, name varchar, key bigint);
create table expense_type (id bigint, name varchar, alias varchar);
