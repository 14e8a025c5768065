"""How fast the read store answers, beside others with the same answers.

    python bench/queries.py [--quick] [--orders 1e5] [--rounds 15]

A shop of three years is made once (bench/shop_data.sql) and kept in a database of its own; its store is built anew.
Every question is asked for a month, a year and a year off the month ends, with and without filters, in turn of: the
store; PostgreSQL over its normalised tables; DuckDB over the facts as monthly Parquet; a small GROUP BY in the store's
file, which is DuckDB's floor; and, for what they can answer, prefix sums of the days in NumPy, which are a bound. All
answers are compared before anything is measured; who has taken a second for a question is not asked it again. Then
eight clients, four threads in each of two processes, ask the store, and Parquet, for some seconds. At the end 5,000
orders of 60 days are changed, and the store is refreshed.

RESULT, times by the clock on the wall:

    orders                of the shop
    worst_p50_ms          the question with the highest median, and
    worst_p95_ms          with the highest 95th percentile
    open_ms               opening a version: what the first question after a refresh waits for
    worst_first_ms        the longest that a question took when it was asked for the first time
    share_within_2x_floor of the questions, by medians
    growth                of the ratio to the floor since the run with a tenth of the orders (null: none): of the
    worst_growth          middle question, and of the one that grew most
    vs_postgres_min       how many times longer the others take, where they are closest: medians
    vs_parquet_min
    vs_parquet_8_clients  how many times more answers a second eight clients get
    build_s               a whole build, and
    build_peak_mb         the most memory that this process has held until its end
    refresh_s             from 5,000 changed orders to a version that answers with them
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.contenders import PrefixSums, ask_parquet, filters, questions
from bench.database import kept_database
from config.env import state_folder

SMALL_GROUP_BY = (
    "select source, sum(orders) from sales where category = 0 and brand = 0 and block < 20230105 group by source"
)
STORE, POSTGRESQL, PARQUET, FLOOR, NUMPY = "store", "PostgreSQL", "Parquet", "floor", "NumPy"
ENOUGH_MS = 1000
CLIENTS, PROCESSES = 8, 2

Times = dict[tuple[str, str], dict[str, list[float]]]


def timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    answer = ask()
    return answer, (time.perf_counter() - start) * 1000


def measure(shop_id: int, folder: Path, rounds: int) -> tuple[Times, float]:
    """Milliseconds by question and filter, and by contender, run by run in turn; and the longest that the store took
    for a question that it had not been asked before."""
    from apps.analytics.reader import answer
    from tests.analytics import plain

    store = answer((shop_id,), lambda store: store)
    bounds = {sales_type: PrefixSums.of(store, folder, sales_type) for sales_type in ("retail", "all")}
    times: Times = {}
    worst_first = 0.0
    for question in questions():
        for name, asked in filters(shop_id).items():
            contenders: dict[str, Callable[[], Any]] = {
                STORE: partial(question.ours, asked),
                POSTGRESQL: partial(plain.ask, question.postgresql, asked),
                PARQUET: partial(ask_parquet, store, folder, question, asked),
            }
            bound = getattr(bounds[asked.sales_type], question.name, None)
            if bound and not asked.by_lines:
                contenders[NUMPY] = partial(bound, asked)
            firsts = compared(contenders, f"{question.name}, {name}")
            worst_first = max(worst_first, firsts[STORE])
            contenders[FLOOR] = partial(store.ask_plainly, SMALL_GROUP_BY)
            times[question.name, name] = in_turn(contenders, firsts, rounds)
    return times, worst_first


def compared(contenders: dict[str, Callable[[], Any]], name: str) -> dict[str, float]:
    """The milliseconds of the first answers, which must be one and the same."""
    firsts = {contender: timed(ask) for contender, ask in contenders.items()}
    expected, _ = firsts[STORE]
    for contender, (answer, _) in firsts.items():
        if answer != expected:
            raise RuntimeError(f"{name}: the store says {expected[:3]}, {contender} {answer[:3]}")
    return {contender: ms for contender, (_, ms) in firsts.items()}


def in_turn(contenders: dict[str, Callable[[], Any]], firsts: dict[str, float], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {
        name: [ms] if (ms := firsts.get(name, 0)) > ENOUGH_MS else [] for name in contenders
    }
    for _ in range(rounds):
        for name, ask in contenders.items():
            if sum(times[name]) < ENOUGH_MS:
                times[name].append(timed(ask)[1])
    return times


def eight_clients(shop_id: int, folder: Path, seconds: float) -> dict[str, float]:
    """Answers a second, of the store and of Parquet."""
    from django.db import connections

    from apps.analytics import reader

    per_second = {}
    for contender in (STORE, PARQUET):
        reader.close_all()
        connections.close_all()
        context = multiprocessing.get_context("fork")
        counts = context.Queue()
        clients = [
            context.Process(target=ask_for, args=(contender, shop_id, folder, seconds, counts))
            for _ in range(PROCESSES)
        ]
        for client in clients:
            client.start()
        per_second[contender] = sum(counts.get() for _ in clients) / seconds
        for client in clients:
            client.join()
    return per_second


def ask_for(contender: str, shop_id: int, folder: Path, seconds: float, counts: Any) -> None:
    """In a process of its own: its share of the clients, each from another question on."""
    from apps.analytics.reader import answer

    store = answer((shop_id,), lambda store: store)
    asks = [
        partial(question.ours, asked) if contender == STORE else partial(ask_parquet, store, folder, question, asked)
        for question in questions()
        for asked in filters(shop_id).values()
    ]
    share = CLIENTS // PROCESSES
    answers = [0] * share
    ends_at = time.perf_counter() + seconds

    def client(number: int) -> None:
        for ask in islice(cycle(asks), number * len(asks) // share, None):
            ask()
            if time.perf_counter() > ends_at:
                return
            answers[number] += 1

    running = [threading.Thread(target=client, args=(number,)) for number in range(share)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    counts.put(sum(answers))


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


def report(times: Times, orders: int, figures: dict[str, float]) -> None:
    median = {key: {name: statistics.median(of) for name, of in each.items()} for key, each in times.items()}
    print_table(
        f"Median milliseconds, {orders:,} orders",
        ["question", STORE, "p95", POSTGRESQL, PARQUET, FLOOR, NUMPY],
        [
            [f"{question}, {name}", f"{of[STORE]:.2f}", f"{p95(times[question, name][STORE]):.1f}"]
            + [f"{of[other]:.1f}" for other in (POSTGRESQL, PARQUET, FLOOR)]
            + [f"{of[NUMPY]:.3f}" if NUMPY in of else ""]
            for (question, name), of in median.items()
        ],
    )
    to_floor = {", ".join(key): of[STORE] / of[FLOOR] for key, of in median.items()}
    print_result(
        {
            "orders": orders,
            "worst_p50_ms": max(of[STORE] for of in median.values()),
            "worst_p95_ms": max(p95(of[STORE]) for of in times.values()),
            "share_within_2x_floor": statistics.mean(of[STORE] <= 2 * of[FLOOR] for of in median.values()),
            **growth(orders, to_floor),
            "vs_postgres_min": min(of[POSTGRESQL] / of[STORE] for of in median.values()),
            "vs_parquet_min": min(of[PARQUET] / of[STORE] for of in median.values()),
            **figures,
        }
    )


def p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]


def growth(orders: int, to_floor: dict[str, float]) -> dict[str, float | None]:
    """Of each question's ratio to the floor, beside the run with a tenth of the orders: a busy machine cancels out."""
    path = state_folder() / "bench" / "growth.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {str(orders): to_floor}))
    before = known.get(str(orders // 10), {})
    grown = [ratio / before[question] for question, ratio in to_floor.items() if question in before]
    return {
        "growth": statistics.median(grown) if grown else None,
        "worst_growth": max(grown, default=None),
    }


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
    rounds = options.rounds or (3 if options.quick else 15)
    if orders < 1000 or rounds < 1:
        parser.error("--orders must be at least 1000, --rounds at least 1")
    with kept_database(f"vitrina_bench_queries_{orders}"):
        run(orders, rounds, seconds=2 if options.quick else 10)


def run(orders: int, rounds: int, *, seconds: float) -> None:
    from tempfile import TemporaryDirectory

    from django.conf import settings

    from apps.analytics import build, reader
    from apps.analytics.export import export

    settings.STORE_FOLDER = state_folder() / "bench" / f"store_{orders}"
    shop = fill(orders)
    figures = {"build_s": build.rebuild(shop).seconds}
    figures["build_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _store, figures["open_ms"] = timed(lambda: reader.answer((shop.pk,), lambda store: store))
    with TemporaryDirectory(dir=state_folder() / "bench") as folder:
        export(shop.pk, Path(folder))
        reader.close_all()
        times, figures["worst_first_ms"] = measure(shop.pk, Path(folder), rounds)
        per_second = eight_clients(shop.pk, Path(folder), seconds)
    figures["vs_parquet_8_clients"] = per_second[STORE] / per_second[PARQUET]
    figures["refresh_s"] = measure_refresh(shop)
    report(times, orders, figures)


if __name__ == "__main__":
    main()
