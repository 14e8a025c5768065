"""How fast the REST API answers: whole HTTP answers of gunicorn as the Procfile starts it, beside the bare store.

    python bench/api.py [--quick] [--orders 1000000] [--rounds 5] [--seconds 5]

One client asks every question over a month, a year and a year that does not end with a month, with and without filters;
`p95_ms` is over all of its answers. Then eight clients ask the same questions at once, in turns with eight threads in
two processes that ask the store itself: `vs_store` is the median over the rounds of their answers a second.
`not_modified_per_s` is what eight clients get who have every answer already. A token says who asks, and Redis counts
the calls, as for any program; figures that begin with `session_` are those of the page, where a session says it. What
the web processes spend on one 304 is its `cpu_ms`, which holds on a busy machine too. The clients are one more process
on the same machine. `smaller_pct` is by how much an answer of 20 rows shrinks when it is compressed, `smaller_year_pct`
by how much all answers about a year do together: rows of amounts whose digits are random.
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.http_clients import Answer, ask, ask_at_once, question
from bench.shop import shop_of

if TYPE_CHECKING:
    from apps.shops.models import Member, Shop

PORT = 8765
CLIENTS, PROCESSES = 8, 2
ORDERS, QUICK_ORDERS = 1_000_000, 20_000
PERIODS = {
    "month": ("2025-05-01", "2025-05-31"),
    "year": ("2024-01-01", "2024-12-31"),
    "odd year": ("2024-03-17", "2025-03-16"),
}
PATHS: dict[str, dict[str, str]] = {
    "/api/summary": {},
    "/api/revenue/trend": {},
    "/api/sales/by-source": {},
    "/api/products/top": {},
    "/api/products/performance": {},
    "/api/categories/breakdown": {"parent_category": "Category 1"},
    "/api/customers/insights": {},
    "/api/brands/analytics": {},
    "/api/expenses/summary": {},
    "/api/expenses/profit": {},
}
FILTERS: dict[str, dict[str, str]] = {"": {}, "source": {"source_id": "4"}, "all types": {"sales_type": "all"}}


@dataclass(frozen=True)
class Visit:
    path: str
    period: str
    narrowed: str

    @property
    def address(self) -> str:
        first, last = PERIODS[self.period]
        asked = {"start_date": first, "end_date": last, **PATHS[self.path], **FILTERS[self.narrowed]}
        return f"{self.path}?{urlencode(asked)}"


VISITS = [Visit(path, period, narrowed) for path in PATHS for period in PERIODS for narrowed in FILTERS]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def owner_of(shop: "Shop") -> "Member":
    from tests.cast import member

    return shop.seller.members.first() or member(shop.seller, "Bench")


def by_token(shop: "Shop") -> dict[str, str]:
    from apps.common.clock import real_now
    from apps.dashboard.tokens import issue_token

    life = timedelta(days=1)
    _token, text = issue_token(member=owner_of(shop), name="bench", scope="read", life=life, now=real_now())
    return {"Authorization": f"Bearer {text}"}


def by_session(shop: "Shop") -> dict[str, str]:
    from django.test import Client

    page = Client()
    page.force_login(owner_of(shop).person.user)
    return {"Cookie": page.cookies.output(attrs=[], header="", sep=";").strip()}


@contextmanager
def server() -> Iterator[int]:
    """The web process of the Procfile over this bench's database, without a limit of calls, and its number."""
    from django.conf import settings
    from django.db import connection

    from apps.backoffice.processes import environment, procfile

    name = connection.settings_dict["NAME"]
    own = {
        "WEB_PORT": str(PORT),
        "DATABASE_URL": settings.DATABASE_URL.replace("/vitrina?", f"/{name}?"),
        "API_CALLS_PER_MINUTE": "1000000000",
        "LOG_LEVEL": "WARNING",
    }
    with subprocess.Popen(["/bin/sh", "-c", procfile()["web"]], env=environment(own)) as running:
        try:
            wait_for(running)
            yield running.pid
        finally:
            running.terminate()


def wait_for(running: "subprocess.Popen[bytes]") -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        if running.poll() is not None:
            raise RuntimeError(f"the web process ended with {running.returncode}")
        try:
            ask(PORT, [question("/api/health", {})])
        except ConnectionRefusedError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the web process does not answer")


def expect(answers: list[Answer], status: int) -> list[Answer]:
    wrong = [answer for answer in answers if answer.status != status]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(answers)}: {wrong[0].status} {wrong[0].body[:300]!r}")
    return answers


def one_client(asked: list[bytes], rounds: int) -> dict[Visit, list[float]]:
    expect(ask(PORT, asked), 200)
    taken: dict[Visit, list[float]] = {visit: [] for visit in VISITS}
    for _round in range(rounds):
        for visit, answer in zip(VISITS, expect(ask(PORT, asked), 200), strict=True):
            taken[visit].append(answer.ms)
    return taken


def questions_of(shop_id: int) -> list[Any]:
    """What each visit asks the store, ready to be called."""
    from datetime import date
    from functools import partial

    from apps.analytics import questions
    from apps.analytics.shapes import Filters
    from apps.common.periods import Period
    from apps.dashboard.charts import compared

    def calls(visit: Visit) -> list[Any]:
        period = Period(*(date.fromisoformat(day) for day in PERIODS[visit.period]))
        narrowed = FILTERS[visit.narrowed]
        source = int(narrowed["source_id"]) if "source_id" in narrowed else None
        asked = Filters((shop_id,), period, narrowed.get("sales_type", "retail"), source)
        before = Filters((shop_id,), compared(period, "previous_period"), asked.sales_type, source)
        found: dict[str, list[Any]] = {
            "/api/summary": [partial(questions.summary, asked)],
            "/api/revenue/trend": [partial(questions.trend, asked), partial(questions.trend, before)],
            "/api/sales/by-source": [partial(questions.by_source, asked)],
            "/api/products/top": [partial(questions.top_products, asked, 10)],
            "/api/products/performance": [partial(questions.product_performance, asked, 10)],
            "/api/categories/breakdown": [partial(questions.category_breakdown, asked, "Category 1")],
            "/api/customers/insights": [partial(questions.customers, asked)],
            "/api/brands/analytics": [partial(questions.brands, asked, 10)],
            "/api/expenses/summary": [partial(questions.expenses, asked)],
            "/api/expenses/profit": [partial(questions.profit, asked)],
        }
        return found[visit.path]

    return [calls(visit) for visit in VISITS]


def ask_store(shop_id: int, threads: int, seconds: float, counts: Any) -> None:
    """In a process of its own: so many threads ask the store for so long."""
    asked = questions_of(shop_id)
    totals = [0] * threads

    def client(number: int) -> None:
        place = number * len(asked) // threads
        while time.perf_counter() < ends_at:
            for call in asked[place % len(asked)]:
                call()
            place += 1
            totals[number] += 1

    for calls in asked:
        for call in calls:
            call()
    ends_at = time.perf_counter() + seconds
    running = [threading.Thread(target=client, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    counts.put(sum(totals))


def bare_store(shop_id: int, seconds: float) -> float:
    """Answers a second of the store itself."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    counts = context.Queue()
    share = CLIENTS // PROCESSES
    running = [context.Process(target=ask_store, args=(shop_id, share, seconds, counts)) for _ in range(PROCESSES)]
    for process in running:
        process.start()
    total = sum(counts.get() for _process in running)
    for process in running:
        process.join()
    return float(total / seconds)


def not_modified(web: int, headers: dict[str, str], seconds: float) -> dict[str, float]:
    """What eight clients get who have every answer already, and what each costs the web processes."""
    tags = [a.headers["etag"] for a in expect(ask(PORT, [question(v.address, headers) for v in VISITS]), 200)]
    known = [question(v.address, headers | {"If-None-Match": tag}) for v, tag in zip(VISITS, tags, strict=True)]
    began = cpu_seconds(web)
    again = expect(ask_at_once(PORT, known, clients=CLIENTS, seconds=seconds), 304)
    spent = cpu_seconds(web) - began
    return {"not_modified_per_s": len(again) / seconds, "not_modified_cpu_ms": 1000 * spent / len(again)}


def cpu_seconds(process: int) -> float:
    """Of the process and all below it so far, those that have ended (gunicorn recycles its workers) included."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    after_the_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, after_the_name[11:15]))  # utime, stime, and those of the children that were waited for
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(child)) for child in children)


def smaller(headers: dict[str, str], addresses: list[str]) -> float:
    """By how much these answers together shrink when they are compressed, in percent."""
    whole = expect(ask(PORT, [question(address, headers) for address in addresses]), 200)
    small = ask(PORT, [question(address, headers | {"Accept-Encoding": "gzip"}) for address in addresses])
    return 100 - 100 * sum(len(a.body) for a in expect(small, 200)) / sum(len(a.body) for a in whole)


def main() -> None:
    options = parse()
    with shop_of(options.orders) as shop, server() as web:
        headers = by_token(shop)
        asked = [question(visit.address, headers) for visit in VISITS]
        taken = one_client(asked, options.rounds)
        through_http, bare = [], []
        for _round in range(options.rounds):
            answers = expect(ask_at_once(PORT, asked, clients=CLIENTS, seconds=options.seconds), 200)
            through_http.append(len(answers) / options.seconds)
            bare.append(bare_store(shop.pk, options.seconds))
        again = not_modified(web, headers, options.seconds)
        at_the_page = not_modified(web, by_session(shop), options.seconds)
        smaller_pct = smaller(headers, ["/api/products?page_size=20"])
        years = [visit.address for visit in VISITS if visit.period == "year" and not visit.narrowed]
        smaller_year_pct = smaller(headers, years)
    report_one_client(options.orders, taken)
    every = [ms for visit in taken.values() for ms in visit]
    figures = {
        "p95_ms": percentile(every, 0.95),
        "p50_ms": statistics.median(every),
        "http_per_s": statistics.median(through_http),
        "store_per_s": statistics.median(bare),
        "vs_store": statistics.median(http / store for http, store in zip(through_http, bare, strict=True)),
        **again,
        **{f"session_{name}": value for name, value in at_the_page.items()},
        "smaller_pct": smaller_pct,
        "smaller_year_pct": smaller_year_pct,
    }
    print_table("Eight clients", ["", "figure"], [[name, f"{value:,.2f}"] for name, value in figures.items()])
    print_result(figures)


def report_one_client(orders: int, taken: dict[Visit, list[float]]) -> None:
    rows = []
    for path in PATHS:
        for period in PERIODS:
            found = [ms for visit, ms in taken.items() if (visit.path, visit.period) == (path, period)]
            every = [ms for ms_of_visit in found for ms in ms_of_visit]
            rows.append([f"{path}, {period}", f"{statistics.median(every):.1f}", f"{percentile(every, 0.95):.1f}"])
    print_table(f"One client, {orders:,} orders: whole answers in ms", ["", "median", "p95"], rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=lambda text: int(float(text)), default=ORDERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--quick", action="store_true", help="a small shop, in under a minute")
    options = parser.parse_args()
    if options.quick:
        options.orders, options.rounds, options.seconds = QUICK_ORDERS, 2, 2
    return options


if __name__ == "__main__":
    main()
