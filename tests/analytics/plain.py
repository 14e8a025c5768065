"""The questions once more, as plain SQL over PostgreSQL's own tables: slow, and simple enough to be right."""

from __future__ import annotations

from typing import Any

from django.db import connection

from apps.analytics.shapes import Filters

COUNTED = """
with recursive inside as (
    select id from catalog_category where id = %(category)s
    union all
    select child.id from catalog_category as child join inside on inside.id = child.parent_id
),
sale as (
    select
        o.*, o.shop_id || ' ' || o.order_number as number, coalesce(s.external_id, 1000 + o.shop_id) as source,
        o.status in ('cancelled', 'returned') as returned
    from orders as o
    left join sales_source as s on s.id = o.source_id
    where o.shop_id = any(%(shops)s) and coalesce(s.role, '') <> 'history'
        and (%(source)s is null or coalesce(s.external_id, 1000 + o.shop_id) = %(source)s)
        and (%(type)s = 'all' or o.sales_type = %(type)s)
),
first_order as (
    select buyer_id, min(placed_on) as day
    from orders
    where status not in ('cancelled', 'returned')
    group by buyer_id
),
line as (
    select sale.*, l.quantity, l.quantity * l.price as amount, p.id as product, p.family, p.category_id, b.name as brand
    from sale
    join order_lines as l on l.order_id = sale.id
    left join products as p on p.id = l.product_id
    left join catalog_brand as b on b.id = p.brand_id
    where placed_on between %(first)s and %(last)s
        and (%(category)s is null or p.category_id in (select id from inside))
        and (%(brand)s is null or lower(b.name) = lower(%(brand)s))
),
asked as (
    select id, number, placed_on, source, returned, buyer_id, total as amount
    from sale
    where %(whole)s and placed_on between %(first)s and %(last)s
    union all
    select id, number, placed_on, source, returned, buyer_id, amount from line where not %(whole)s
)
"""

SUMMARY = """
select
    count(distinct number) filter (where not returned), coalesce(sum(amount) filter (where not returned), 0),
    count(distinct number) filter (where returned), coalesce(sum(amount) filter (where returned), 0)
from asked
"""
TREND = """
select placed_on, count(distinct number), sum(amount) from asked where not returned group by 1 order by 1
"""
BY_SOURCE = """
select source, count(distinct number), sum(amount) from asked where not returned group by 1 order by 1
"""
PRODUCTS = """
select
    min(first.id), sum(quantity), sum(amount)
from line
left join lateral (
    select min(id) as id from products
    where id = line.product or line.family <> '' and family = line.family and shop_id = line.shop_id
) as first on true
where not returned
group by first.id
"""
BRANDS = """
select lower(brand), count(distinct number), sum(quantity), sum(amount)
from line
where not returned and brand is not null
group by 1 order by 1
"""
BUYERS = """
select
    count(distinct buyer_id), count(distinct buyer_id) filter (where placed_on = day),
    count(distinct buyer_id) filter (where placed_on > day), count(distinct number) filter (where buyer_id > 0)
from asked
left join first_order using (buyer_id)
where not returned
"""
EXPENSES = """
select count(*), coalesce(sum(e.amount), 0), count(distinct number)
from sales_expense as e
join sale on sale.id = e.order_id
where not returned and sale.id in (select id from asked) and (%(expense_type)s is null or e.type_id = %(expense_type)s)
"""
EVER = """
select count(*), count(*) filter (where n > 1), coalesce(sum(n), 0), coalesce(sum(spent), 0),
    coalesce(sum(spent) filter (where n > 1), 0), coalesce(sum(days), 0)
from (
    select count(distinct number) as n, sum(total) as spent, max(placed_on) - min(placed_on) as days
    from sale where not returned and buyer_id is not null group by buyer_id
) as buyer
"""

# The summary of every combination at once: null stands for all.
EVERY_SUMMARY = """
, path as (
    select id as category, id as ancestor from catalog_category
    union all
    select path.category, parent_id
    from path
    join catalog_category on id = path.ancestor
    where parent_id is not null
),
keyed as (
    select null::bigint as category, null as brand, number, source, sales_type, returned, total as amount
    from sale where placed_on between %(first)s and %(last)s
    union all
    select null, lower(brand), number, source, sales_type, returned, amount from line where brand is not null
    union all
    select ancestor, null, number, source, sales_type, returned, amount
    from line join path on path.category = category_id
    union all
    select ancestor, lower(brand), number, source, sales_type, returned, amount
    from line join path on path.category = category_id
    where brand is not null
)
select
    category, brand, source, sales_type,
    count(distinct number) filter (where not returned), coalesce(sum(amount) filter (where not returned), 0),
    count(distinct number) filter (where returned), coalesce(sum(amount) filter (where returned), 0)
from keyed
group by category, brand, cube (source, sales_type)
"""


def ask(question: str, asked: Filters, *, expense_type: int | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            COUNTED + question,
            {
                "shops": list(asked.shops),
                "first": asked.period.first,
                "last": asked.period.last,
                "type": asked.sales_type,
                "source": asked.source_id,
                "category": asked.category_id,
                "brand": asked.brand,
                "whole": not asked.by_lines,
                "expense_type": expense_type,
            },
        )
        return cursor.fetchall()
