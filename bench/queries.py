"""How fast the read store answers, beside others with the same answers.

    python bench/queries.py [--quick] [--orders 1e5] [--rounds 7]

A shop of three years is made once (bench/shop_data.sql) and kept in a database of its own; its store is built anew.
Every question is asked for a month, a year and a year off the month ends, with and without filters, in turn of: the
store; PostgreSQL over its normalised tables; DuckDB over the facts as monthly Parquet; a small GROUP BY in the store's
file, which is DuckDB's floor; and a lookup in NumPy prefix sums of the days, which is a bound. The answers of the first
three are compared before anything is measured. Then 5,000 orders of 60 days are changed, and the store is refreshed.

`growth` needs a run with a tenth of the orders before: its worst medians are kept in the bench's folder.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.database import kept_database
from config.env import state_folder

PERIODS = {
    "month": (date(2024, 3, 1), date(2024, 3, 31)),
    "year": (date(2024, 1, 1), date(2024, 12, 31)),
    "odd year": (date(2023, 10, 17), date(2024, 10, 16)),
}
FILTERS: dict[str, dict[str, Any]] = {
    "retail": {},
    "all types": {"sales_type": "all"},
    "category": {"category_id": ...},
    "category and brand": {"category_id": ..., "brand": "brand 7"},
}
FLOOR = "select source, sum(orders) from sales where category = 0 and brand = 0 and block < 20230105 group by source"
# What matches a filter, from the facts as Parquet; {sale} and {line} are their files.
MATCHING = """
with matching as (
    select number, day, source, buyer, returned, total as amount, 0 as quantity, 0 as head, 0 as brand
    from '{sale}' where $whole and counts and day between $first and $last and ($type = 'all' or type = $type)
    union all
    select number, day, source, buyer, returned, amount, quantity, head, brand
    from '{line}'
    where not $whole and day between $first and $last and ($type = 'all' or type = $type)
        and (0 in $categories or category in $categories) and (0 in $brands or brand in $brands)
)
"""
STORE, POSTGRESQL, PARQUET = "store", "PostgreSQL", "Parquet"


@dataclass(frozen=True)
class Question:
    """`ours` asks the store; the other two are the last part of a statement over what matches. All give rows."""

    name: str
    ours: Callable[[Any], list[tuple[Any, ...]]]
    postgresql: str
    parquet: str
    by_lines: bool = False


def questions() -> list[Question]:
    from apps.analytics import questions as asked
    from tests.analytics import plain

    def summary(f: Any) -> list[tuple[Any, ...]]:
        found = asked.summary(f)
        return [(found.orders, found.revenue, found.returns, found.returned_revenue)]

    def top(f: Any) -> list[tuple[Any, ...]]:
        return [(p.product_id, p.quantity, p.revenue) for p in asked.top_products(f, 10).products]

    return [
        Question(
            "summary",
            summary,
            plain.SUMMARY,
            "select count(distinct number) filter (where not returned),"
            " coalesce(sum(amount) filter (where not returned), 0),"
            " count(distinct number) filter (where returned),"
            " coalesce(sum(amount) filter (where returned), 0)"
            " from matching",
        ),
        Question(
            "trend",
            lambda f: [(d.day, d.orders, d.revenue) for d in asked.trend(f) if d.orders],
            plain.TREND,
            "select day, count(distinct number), sum(amount) from matching where not returned group by 1 order by 1",
        ),
        Question(
            "by source",
            lambda f: sorted((s.source_id, s.orders, s.revenue) for s in asked.by_source(f)),
            plain.BY_SOURCE,
            "select source, count(distinct number), sum(amount) from matching where not returned group by 1 order by 1",
        ),
        Question(
            "top products",
            top,
            "select product, sum(quantity), sum(amount) from line where not returned group by 1"
            " order by 2 desc, 1 limit 10",
            "select head, sum(quantity), sum(amount) from matching where not returned group by 1"
            " order by 2 desc, 1 limit 10",
            by_lines=True,
        ),
        Question(
            "brands",
            lambda f: sorted((b.orders, b.quantity, b.revenue) for b in asked.brands(f, 1000).by_revenue),
            "select count(distinct number), sum(quantity), sum(amount) from line"
            " where not returned and brand is not null group by lower(brand) order by 1, 2, 3",
            "select count(distinct number), sum(quantity), sum(amount) from matching"
            " where not returned and brand <> 0 group by brand order by 1, 2, 3",
            by_lines=True,
        ),
        Question(
            "buyers",
            lambda f: [(asked.customers(f).buyers,)],
            "select count(distinct buyer_id) from asked where not returned",
            "select count(distinct buyer) from matching where not returned",
        ),
    ]


def filters(shop_id: int) -> dict[str, Any]:
    """Every period with every filter, by a name for people."""
    from apps.analytics.questions import Filters
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


def ask_parquet(store: Any, folder: Path, question: Question, asked: Any) -> list[tuple[Any, ...]]:
    from apps.analytics.questions import _params

    files = {table: f"{folder}/{table}/**/*.parquet" for table in ("sale", "line")}
    params = _params(store, asked) | {"whole": not asked.by_lines and not question.by_lines}
    return store.run(MATCHING.format(**files) + question.parquet, **params)


def milliseconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


def measure(shop_id: int, folder: Path, rounds: int) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Milliseconds by question and filter, and by contender, run by run in turn."""
    import numpy

    from apps.analytics.reader import answer
    from tests.analytics import plain

    store = answer((shop_id,), lambda store: store)
    sums = numpy.cumsum(numpy.arange(1100 * 4).reshape(1100, 4), axis=0)
    times: dict[tuple[str, str], dict[str, list[float]]] = {}
    for question in questions():
        for name, asked in filters(shop_id).items():
            contenders: dict[str, Callable[[], Any]] = {
                STORE: partial(question.ours, asked),
                POSTGRESQL: partial(plain.ask, question.postgresql, asked),
                PARQUET: partial(ask_parquet, store, folder, question, asked),
            }
            first, *others = [contender() for contender in contenders.values()]
            for answered in others:
                assert first == answered, (question.name, name, first[:3], answered[:3])
            contenders["floor"] = lambda: store.ask_plainly(FLOOR)
            contenders["NumPy"] = lambda: sums[500] - sums[135]
            of = times[question.name, name] = {contender: [] for contender in contenders}
            for _ in range(rounds):
                for contender, ask in contenders.items():
                    of[contender].append(milliseconds(ask))
    return times


def measure_refresh(shop: Any) -> float:
    """Seconds from 5,000 changed orders of 60 days to a version that answers with them."""
    from django.db import connection

    from apps.analytics import build

    with connection.cursor() as cursor:
        cursor.execute(
            "update orders set total = total + 1 where id in (select id from orders where shop_id = %s"
            " and placed_on between '2025-10-01' and '2025-11-29' order by external_id limit 5000)",
            [shop.pk],
        )
    start = time.perf_counter()
    build.refresh(shop)
    return time.perf_counter() - start


def report(
    times: dict[tuple[str, str], dict[str, list[float]]], *, orders: int, build_s: float, refresh_s: float
) -> None:
    median = {key: {name: statistics.median(of) for name, of in each.items()} for key, each in times.items()}
    print_table(
        f"Median milliseconds of {len(next(iter(times.values()))[STORE])} runs, {orders:,} orders",
        ["question", "store", "p95", POSTGRESQL, PARQUET, "floor", "NumPy"],
        [
            [f"{question}, {name}", f"{of[STORE]:.1f}", f"{p95(times[question, name][STORE]):.1f}"]
            + [f"{of[other]:.1f}" for other in (POSTGRESQL, PARQUET, "floor")]
            + [f"{of['NumPy']:.4f}"]
            for (question, name), of in median.items()
        ],
    )
    worst = max(of[STORE] for of in median.values())
    middle = statistics.median(of[STORE] / of["floor"] for of in median.values())
    print_result(
        {
            "orders": orders,
            "worst_p50_ms": worst,
            "worst_p95_ms": max(p95(of[STORE]) for of in times.values()),
            "share_within_2x_floor": statistics.mean(of[STORE] <= 2 * of["floor"] for of in median.values()),
            "growth": growth(orders, middle),
            "vs_postgres_min": min(of[POSTGRESQL] / of[STORE] for of in median.values()),
            "vs_parquet_min": min(of[PARQUET] / of[STORE] for of in median.values()),
            "build_s": build_s,
            "refresh_s": refresh_s,
        }
    )


def p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def growth(orders: int, middle: float) -> float | None:
    """The middle ratio to the floor, beside that of the run with a tenth of the orders: a busy machine cancels out."""
    path = state_folder() / "bench" / "queries.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {str(orders): middle}))
    before = known.get(str(orders // 10))
    return middle / before if before else None


def fill(orders: int) -> Any:
    from django.db import connection, transaction

    from apps.shops.models import Seller, Shop

    if not Shop.objects.exists():
        with transaction.atomic(), connection.cursor() as cursor:
            seller = Seller.objects.create(name="Bench")
            shop = Shop.objects.create(seller=seller, name="Bench", kind="keycrm", currency="UAH")
            cursor.execute(Path(__file__).with_name("shop_data.sql").read_text(), {"shop": shop.pk, "orders": orders})
    return Shop.objects.get()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few orders and rounds, under a minute")
    parser.add_argument("--orders", type=lambda text: int(float(text)))
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    orders = options.orders or (10_000 if options.quick else 100_000)
    rounds = options.rounds or (3 if options.quick else 7)
    if orders < 1000 or rounds < 1:
        parser.error("--orders must be at least 1000, --rounds at least 1")
    with kept_database(f"vitrina_bench_queries_{orders}"):
        from tempfile import TemporaryDirectory

        from django.conf import settings

        from apps.analytics import build
        from apps.analytics.export import export

        settings.STORE_FOLDER = state_folder() / "bench" / f"store_{orders}"
        shop = fill(orders)
        build_s = build.rebuild(shop).seconds
        with TemporaryDirectory(dir=state_folder() / "bench") as folder:
            export(shop.pk, Path(folder))
            times = measure(shop.pk, Path(folder), rounds)
        report(times, orders=orders, build_s=build_s, refresh_s=measure_refresh(shop))


if __name__ == "__main__":
    main()
