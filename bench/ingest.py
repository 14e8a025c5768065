"""How fast rows are stored: daily facts through `apps.common.bulk.upsert`, beside two others.

    python bench/ingest.py [--quick] [--rows 200000] [--rounds 3]

Django: the same rows through `bulk_create(update_conflicts=True)`; making the model objects is not counted.
Bare COPY: what one would write by hand for this one table: COPY into a temporary table, INSERT .. ON CONFLICT DO UPDATE
.. WHERE the row differs; it drops no duplicates, sorts nothing and counts nothing.

Rows come in the order of their key, so that the others need no sorting. Each round stores all rows into
the empty table, then the same keys again with every row changed, then once more with one row in ten changed. The three
take turns; figures are medians over the rounds, in rows a second. `vs_copy` is the worst of the three steps,
`vs_bulk_create_conflict` is with every row changed: where few are, as in a daily sync, the distance is far larger.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.database import empty_database

PRODUCTS = 400
FIRST_DAY = date(2024, 1, 1)
KEY = ("product_id", "day")
COLUMNS = (
    *("units", "revenue", "cancelled_units", "cancelled_revenue", "returned_units", "returned_revenue"),
    *("cancellations", "returns", "in_stock"),
)
ROWS, QUICK_ROWS = 200_000, 25_000
OURS, BULK_CREATE, COPY = "upsert", "bulk_create", "bare COPY"

Row = tuple[Any, ...]
Prepare = Callable[[list[Row]], Callable[[], object]]


def make_rows(product_ids: list[int], count: int, more_units: Callable[[int], int]) -> list[Row]:
    """Facts in the order of their key; `more_units` says by how much the row at a place differs from the first ones."""
    rows = []
    for place in range(count):
        product, day = divmod(place, -(-count // len(product_ids)))
        units, price = place % 7 + more_units(place), Decimal(990 + place % 5000)
        cancelled, returned = units // 5, units // 6
        sums = (units, units * price, cancelled, cancelled * price, returned, returned * price)
        events = (place % 3, None if place % 2 else 0, bool(place % 11))
        rows.append((product_ids[product], FIRST_DAY + timedelta(days=day), *sums, *events))
    return rows


def prepare_upsert(rows: list[Row]) -> Callable[[], object]:
    from apps.common.bulk import upsert
    from apps.sales.models import DailyFact

    return lambda: upsert(DailyFact, rows, key=KEY, columns=COLUMNS)


def prepare_bulk_create(rows: list[Row]) -> Callable[[], object]:
    from apps.sales.models import DailyFact

    objects = [DailyFact(**dict(zip((*KEY, *COLUMNS), row, strict=True))) for row in rows]
    return lambda: DailyFact.objects.bulk_create(
        objects, batch_size=5_000, update_conflicts=True, unique_fields=["product", "day"], update_fields=COLUMNS
    )


def prepare_copy(rows: list[Row]) -> Callable[[], object]:
    from django.db import connection, transaction

    names = ", ".join((*KEY, *COLUMNS))
    changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
    stored, incoming = (", ".join(f"{table}.{name}" for name in COLUMNS) for table in ("sales", "excluded"))

    @transaction.atomic
    def store() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"create temporary table bare on commit drop as select {names} from sales with no data")
            with cursor.copy(f"copy bare ({names}) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(
                f"insert into sales ({names}) select {names} from bare on conflict (product_id, day)"
                f" do update set {changes} where ({stored}) is distinct from ({incoming})"
            )

    return store


CONTENDERS: dict[str, Prepare] = {OURS: prepare_upsert, BULK_CREATE: prepare_bulk_create, COPY: prepare_copy}


def seconds(store: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    store()
    return time.perf_counter() - start


def measure(product_ids: list[int], count: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by step and contender, round by round."""
    from django.db import connection

    steps = {
        "insert": make_rows(product_ids, count, lambda place: 0),
        "all changed": make_rows(product_ids, count, lambda place: 1),
        "a tenth changed": make_rows(product_ids, count, lambda place: 2 if place % 10 == 0 else 1),
    }
    times: dict[str, dict[str, list[float]]] = {step: {name: [] for name in CONTENDERS} for step in steps}
    for name, prepare in [*CONTENDERS.items()] * rounds:
        with connection.cursor() as cursor:
            cursor.execute("truncate sales")
        for step, rows in steps.items():
            times[step][name].append(seconds(prepare(rows)))
    return times


def make_products() -> list[int]:
    from apps.catalog.models import Product
    from apps.shops.models import Seller, Shop

    shop = Shop.objects.create(seller=Seller.objects.create(name="Bench"), name="Bench")
    products = (Product(shop=shop, external_id=str(i), offer_id=str(i), name=str(i)) for i in range(PRODUCTS))
    return [product.pk for product in Product.objects.bulk_create(products)]


def speed(count: int, times: list[float]) -> str:
    """Median rows a second, and how far the rounds spread around it."""
    middle = statistics.median(times)
    return f"{count / middle:,.0f} ± {50 * (max(times) - min(times)) / middle:.0f} %"


def report(count: int, times: dict[str, dict[str, list[float]]]) -> None:
    ratio = {
        (step, other): statistics.median(of[other]) / statistics.median(of[OURS])
        for step, of in times.items()
        for other in (BULK_CREATE, COPY)
    }
    print_table(
        f"Daily facts stored, rows a second ({count:,} rows, median of {len(times['insert'][OURS])} rounds)",
        ["step", *CONTENDERS, f"x {BULK_CREATE}", f"x {COPY}"],
        [
            [step, *(speed(count, of[name]) for name in CONTENDERS)]
            + [f"{ratio[step, other]:.2f}" for other in (BULK_CREATE, COPY)]
            for step, of in times.items()
        ],
    )
    print_result(
        {
            "vs_bulk_create_insert": ratio["insert", BULK_CREATE],
            "vs_bulk_create_conflict": ratio["all changed", BULK_CREATE],
            "vs_copy": min(ratio[step, COPY] for step in times),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rows, under a minute")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    count = options.rows or (QUICK_ROWS if options.quick else ROWS)
    if count < 1 or options.rounds < 1:
        parser.error("--rows and --rounds must be at least 1")
    with empty_database("vitrina_bench_ingest"):
        report(count, measure(make_products(), count, options.rounds))


if __name__ == "__main__":
    main()
