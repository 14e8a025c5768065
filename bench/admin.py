"""How fast the lists of the admin answer in a shop of some size.

    python bench/admin.py [--quick] [--products 10000] [--orders 100000] [--rounds 5]

One seller's shop is filled once; then every list of the admin is asked for as its user would, who is the seller's
owner, and for the pages of the installation whoever keeps it: as it opens, the middle and the last page, searched,
sorted by each of its columns, and with each of its filters. Each answer is a whole page, rendered, in one process,
without a network; it may take 300 ms and 15 queries. Figures are medians over the rounds.

The history of sales and stock is 30 days of every product, each price has changed twice, and a tenth of the orders is
still open.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.database import empty_database

if TYPE_CHECKING:
    from django.test import Client

    from tests.backoffice.fill import Filled

PRODUCTS, ORDERS, DAYS, OTHERS = 10_000, 100_000, 30, 20_000
DECISIONS = 300
QUICK = 10
LIMIT_MS, LIMIT_QUERIES = 300, 15
SHOWN = 15


@dataclass(frozen=True)
class Visit:
    """One question to a list."""

    page: str
    asked: str
    address: str


@dataclass(frozen=True)
class Answer:
    visit: Visit
    ms: float
    queries: int
    rows: int


def copies(table: str, source: str, count: str, changed: dict[str, str]) -> str:
    """SQL that copies the row of `source` so many times; `changed` gives columns other values, by `n`."""
    from django.apps import apps

    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = ", ".join(changed.get(column, f"origin.{column}") for column in columns)
    names = ", ".join(columns)
    return f"insert into {table} ({names}) select {values} from {table} origin, {count} where {source}"


def fill_shop(products: int, orders: int) -> "Filled":
    """A seller with so many products and orders, and what hangs on them."""
    from django.db import connection, transaction

    from apps.catalog.models import Cost, PriceChange, Product, StockSnapshot
    from apps.jobs.models import JobRun, SyncRun
    from apps.notifications.models import OutboxMessage
    from apps.sales.models import Accrual, DailyFact, Order, OrderLine, Return
    from apps.shops.models import AuditEntry
    from tests.backoffice.fill import crowd, fill

    with transaction.atomic(), connection.cursor() as cursor:
        filled = fill("Anna", telegram_id=1001)
        crowd(filled, DECISIONS)
        last = Product.objects.latest("pk").pk

        def copy(model: Any, many: str, changed: dict[str, str]) -> None:
            row = model.objects.order_by("pk").first()
            cursor.execute(copies(model._meta.db_table, f"origin.id = {row.pk}", many, changed))

        series = f"generate_series(1, {products}) n"
        copy(Product, series, {
            "external_id": "'9' || n", "offer_id": "'TEA-' || n", "sku": "900000000 + n",
            "name": "'Teapot of ' || n || ' cups'", "price": "500 + n % 5000",
        })  # fmt: skip
        added = f"(select id as n from products where id > {last}) as added"
        copy(Cost, f"(select id as n from products where id > {last} and id % 7 > 0) as added", {"product_id": "n"})
        days = f"{added}, generate_series(0, {DAYS - 1}) d"
        day = "date '2026-03-16' - d"
        copy(StockSnapshot, days, {"product_id": "n", "day": day, "present": "(n + d) % 90"})
        copy(DailyFact, days, {"product_id": "n", "day": f"{day} - 1", "units": "(n * d) % 9"})
        changes = f"{added}, generate_series(0, 1) d"
        when = {"seen_on": day, "seen_at": "origin.seen_at - d * interval '1 day'"}
        copy(PriceChange, changes, {"product_id": "n", **when})
        copy(Order, f"generate_series(1, {orders}) n", {
            "external_id": "n || '-0001-1'", "order_number": "n || '-0001'",
            "placed_on": "date '2026-03-16' - n % 180", "placed_at": "origin.placed_at - n % 180 * interval '1 day'",
            "status": "case when n % 10 = 0 then 'open' when n % 11 = 0 then 'cancelled' else 'delivered' end",
        })  # fmt: skip
        line = OrderLine.objects.order_by("pk")[0]
        lines = f"(select id as o, row_number() over () as n from orders where id > {line.order_id}) as added"
        copy(OrderLine, lines, {"order_id": "o", "position": "2", "product_id": f"{last} + 1 + n % {products}"})
        copy(Accrual, lines, {
            "external_id": "'copy-' || n", "unit_number": "n || '-0001-1'", "day": "date '2026-03-16' - (n % 180)::int",
            "product_id": f"{last} + 1 + n % {products}", "sku": f"(900000000 + n % {products})::text",
        })  # fmt: skip
        many = f"generate_series(1, {min(OTHERS, orders)}) n"
        copy(Return, many, {
            "external_id": "'copy-' || n", "posting_number": "n || '-0001-1'",
            "returned_on": "date '2026-03-16' - n % 180", "sku": f"(900000000 + n % {products})::text",
        })  # fmt: skip
        copy(OutboxMessage, many, {"key": "'copy:' || n", "subject": "'copy:' || n"})
        copy(JobRun, many, {"slot": "'manual:' || n", "as_of": "origin.as_of - n * interval '1 hour'"})
        copy(SyncRun, many, {"as_of": f"origin.as_of - ({min(OTHERS, orders)} - n) * interval '1 hour'"})
        copy(AuditEntry, many, {"at": "origin.at - n * interval '1 minute'"})
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
    return filled


def visits(model: Any, client: "Client") -> Iterator[Visit]:
    """What a user may ask this list for. The first answer leaves the reader's language behind, that of the names."""
    from tests.backoffice.site import url

    address = url(model, "changelist")
    changelist = client.get(address).context["cl"]
    name = str(model._meta.verbose_name_plural)
    yield Visit(name, "opened", address)
    if changelist.search_fields:
        yield Visit(name, "searched: TEA-77", f"{address}?q=TEA-77")
        yield Visit(name, "searched: 900000077", f"{address}?q=900000077")
    pages = changelist.paginator.num_pages
    if pages > 1:
        yield Visit(name, "the last page", f"{address}?p={pages}")
        yield Visit(name, "the middle page", f"{address}?p={(pages + 1) // 2}")
    for number, column in enumerate(changelist.list_display):
        if changelist.get_ordering_field(column):
            yield Visit(name, f"sorted by {column}", f"{address}?o=-{number}")
    for spec in changelist.filter_specs:
        choices = [choice for choice in spec.choices(changelist) if not choice.get("selected")]
        if choices and "query_string" in choices[-1]:
            chosen = choices[-1]
            yield Visit(name, f"{spec.title}: {chosen.get('display')}", address + chosen["query_string"])
        elif choices:
            yield Visit(name, f"{spec.title}: all days", f"{address}?{spec.field_path}_from=")
            days = f"{spec.field_path}_from=2026-02-20&{spec.field_path}_to=2026-03-10"
            yield Visit(name, f"{spec.title}: some days", f"{address}?{days}")


def ask(client: "Client", visit: Visit, rounds: int) -> Answer:
    """Templates that tell what they were given, as tests have them, copy it all: they are off while time is taken."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(visit.address)
    asked, rows = len(queries), len(answer.context["cl"].result_list)
    teardown_test_environment()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        status = client.get(visit.address).status_code
        taken.append((time.perf_counter() - start) * 1000)
        assert status == 200, f"{visit}: {status}"
    setup_test_environment()
    return Answer(visit, statistics.median(taken), asked, rows)


def measure(products: int, orders: int, rounds: int) -> None:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test.utils import setup_test_environment

    from apps.shops.models import Language, Person
    from tests.backoffice.site import PAGES, SCOPED, client_of

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    setup_test_environment()
    filled = fill_shop(products, orders)
    Person.objects.update(language=Language.ENGLISH)
    client = client_of(filled.owner)
    answers: list[Answer] = []
    for model, _page in PAGES:
        User.objects.filter(pk=filled.owner.person.user_id).update(is_superuser=model not in SCOPED)
        answers += [ask(client, visit, rounds) for visit in list(visits(model, client))]
    answers.sort(key=lambda answer: -answer.ms)
    print_table(
        f"The slowest {SHOWN} of {len(answers)} answers ({products:,} products, {orders:,} orders)",
        ["list", "asked", "rows", "queries", "ms"],
        [[one.visit.page, one.visit.asked[:50], one.rows, one.queries, f"{one.ms:.0f}"] for one in answers[:SHOWN]],
    )
    print_result(
        {
            "worst_ms": max(one.ms for one in answers),
            "share_within_limit": sum(one.ms <= LIMIT_MS for one in answers) / len(answers),
            "worst_queries": max(one.queries for one in answers),
            "limit_ms": LIMIT_MS,
            "limit_queries": LIMIT_QUERIES,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    share = QUICK if options.quick else 1
    if options.products < share or options.orders < share or options.rounds < 1:
        parser.error(f"--products and --orders must be at least {share}, --rounds at least 1")
    with empty_database("vitrina_bench_admin"):
        measure(options.products // share, options.orders // share, options.rounds)


if __name__ == "__main__":
    main()
