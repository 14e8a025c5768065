"""The questions that bench/queries.py asks, and how others than the store answer them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

PERIODS = {
    "month": (date(2024, 3, 1), date(2024, 3, 31)),
    "year": (date(2024, 1, 1), date(2024, 12, 31)),
    "odd year": (date(2023, 10, 17), date(2024, 10, 16)),
}
FILTERS: dict[str, dict[str, Any]] = {
    "retail": {},
    "all types": {"sales_type": "all"},
    "category": {"category_id": ...},
    "category and brand": {"category_id": ..., "brand": "brand 8"},  # which sells in that category
}
# What matches a filter, from the facts as Parquet; {sale} and {line} are their files.
MATCHING = """
with matching as (
    select id as sale, number, day, source, buyer, returned, total as amount, 0 as quantity, 0 as head, 0 as brand
    from '{sale}' where $whole and counts and day between $first and $last and ($type = 'all' or type = $type)
    union all
    select sale, number, day, source, buyer, returned, amount, quantity, head, brand
    from '{line}'
    where not $whole and day between $first and $last and ($type = 'all' or type = $type)
        and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
)
"""
# Of each question, over what matches.
IN_PARQUET = {
    "summary": """
        select
            count(distinct number) filter (where not returned), coalesce(sum(amount) filter (where not returned), 0),
            count(distinct number) filter (where returned), coalesce(sum(amount) filter (where returned), 0)
        from matching
    """,
    "trend": "select day, count(distinct number), sum(amount) from matching where not returned group by 1 order by 1",
    "by source": """
        select source, count(distinct number), sum(amount) from matching where not returned group by 1 order by 1
    """,
    "top products": """
        select head, sum(quantity), sum(amount) from matching where not returned group by 1 order by 2 desc, 1 limit 10
    """,
    "brands": """
        select count(distinct number), sum(quantity), sum(amount)
        from matching
        where not returned and brand <> 0
        group by brand
        order by 1, 2, 3
    """,
    "buyers": "select count(distinct buyer) from matching where not returned",
    "expenses": """
        select count(*), coalesce(sum(amount), 0), count(distinct number)
        from '{expense}'
        where not returned and day between $first and $last and sale in (select sale from matching)
    """,
}
TOP_IN_POSTGRESQL = """
select product, sum(quantity), sum(amount) from line where not returned group by 1 order by 2 desc, 1 limit 10
"""
BRANDS_IN_POSTGRESQL = """
select count(distinct number), sum(quantity), sum(amount)
from line
where not returned and brand is not null
group by lower(brand)
order by 1, 2, 3
"""
DAYS = """
select
    day, count(distinct number) filter (where not returned), sum(if(returned, 0, total))::bigint,
    count(distinct number) filter (where returned), sum(if(returned, total, 0))::bigint
from (select * replace ((total * 100)::bigint as total) from '{sale}') where counts and ($type = 'all' or type = $type)
group by day order by day
"""

Answer = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Question:
    """`ours` asks the store; `postgresql` is the last part of a statement over what matches, as those of `IN_PARQUET`
    are. All give rows."""

    name: str
    ours: Callable[[Any], Answer]
    postgresql: str
    by_lines: bool = False


def questions() -> list[Question]:
    from apps.analytics import questions as asked
    from tests.analytics import plain

    def summary(f: Any) -> Answer:
        found = asked.summary(f)
        return [(found.orders, found.revenue, found.returns, found.returned_revenue)]

    def trend(f: Any) -> Answer:
        return [(d.day, d.orders, d.revenue) for d in asked.trend(f) if d.orders]

    def by_source(f: Any) -> Answer:
        return sorted((s.source_id, s.orders, s.revenue) for s in asked.by_source(f))

    def top(f: Any) -> Answer:
        return [(p.product_id, p.quantity, p.revenue) for p in asked.top_products(f, 10).products]

    def brands(f: Any) -> Answer:
        return sorted((b.orders, b.quantity, b.revenue) for b in asked.brands(f, 1000).by_revenue)

    def buyers(f: Any) -> Answer:
        return [(asked.customers(f).buyers,)]

    def expenses(f: Any) -> Answer:
        found = asked.expenses(f)
        return [(found.count, found.amount, found.orders)]

    return [
        Question("summary", summary, plain.SUMMARY),
        Question("trend", trend, plain.TREND),
        Question("by source", by_source, plain.BY_SOURCE),
        Question("top products", top, TOP_IN_POSTGRESQL, by_lines=True),
        Question("brands", brands, BRANDS_IN_POSTGRESQL, by_lines=True),
        Question("buyers", buyers, "select count(distinct buyer_id) from asked where not returned"),
        Question("expenses", expenses, plain.EXPENSES),
    ]


def filters(shop_id: int) -> dict[str, Any]:
    """Every period with every filter, by a name for people."""
    from apps.analytics.shapes import Filters
    from apps.catalog.models import Category
    from apps.common.periods import Period

    root = Category.objects.filter(parent=None).order_by("pk").values_list("pk", flat=True)[0]
    return {
        f"{period}, {name}": Filters(shops=(shop_id,), period=Period(*days), **_chosen(chosen, root))
        for period, days in PERIODS.items()
        for name, chosen in FILTERS.items()
    }


def _chosen(filters: dict[str, Any], root: int) -> dict[str, Any]:
    return {key: root if value is ... else value for key, value in filters.items()}


def ask_parquet(store: Any, folder: Path, question: Question, asked: Any) -> Answer:
    text = (MATCHING + IN_PARQUET[question.name]).format(**parquet_files(folder))
    found: Answer = store.run(text, **matching(store, asked), whole=not asked.by_lines and not question.by_lines)
    return found


def matching(store: Any, asked: Any) -> dict[str, Any]:
    """The filters in the words of `MATCHING`: 0 and 'all' stand for everything."""
    directories = store.directories
    return {
        "first": asked.period.first,
        "last": asked.period.last,
        "type": asked.sales_type,
        "categories": directories.descendants[asked.category_id] if asked.category_id else [0],
        "brands": directories.brand_keys[asked.brand] if asked.brand else [0],
    }


def parquet_files(folder: Path) -> dict[str, str]:
    return {table: f"{folder}/{table}/**/*.parquet" for table in ("sale", "line", "expense")}


@dataclass(frozen=True)
class PrefixSums:
    """`before[n]`: orders, revenue, returns and returned revenue of all days before the n-th; amounts in hundredths."""

    first: date
    before: Any

    @classmethod
    def of(cls, store: Any, folder: Path, sales_type: str) -> "PrefixSums":
        import numpy

        rows = {day: sums for day, *sums in store.run(DAYS.format(**parquet_files(folder)), type=sales_type)}
        first, last = min(rows), max(rows)
        days = [rows.get(first + timedelta(days=i), [0] * 4) for i in range((last - first).days + 1)]
        return cls(first, numpy.cumsum([[0] * 4, *days], axis=0))

    def summary(self, asked: Any) -> Answer:
        first, last = ((day - self.first).days for day in (asked.period.first, asked.period.last))
        orders, revenue, returns, returned = (self.before[last + 1] - self.before[first]).tolist()
        return [(orders, Decimal(revenue) / 100, returns, Decimal(returned) / 100)]

    def trend(self, asked: Any) -> Answer:
        first, last = ((day - self.first).days for day in (asked.period.first, asked.period.last))
        each = (self.before[first + 1 : last + 2] - self.before[first : last + 1]).tolist()
        days = zip(asked.period, each, strict=True)
        return [(day, orders, Decimal(revenue) / 100) for day, (orders, revenue, _, _) in days if orders]
