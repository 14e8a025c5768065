"""What a sync costs at size: memory, the database's share of the time, and whether its progress is seen.

    python bench/sync.py [--quick] [--products 100000] [--history-days 200] [--seed 1]

The stand-in of the marketplace serves a shop over HTTP from a process of its own, with as many days of sales behind it;
100,000 products over 200 days have more than 1,000,000 order lines in the 180 days that a first sync reads. Another
process carries out the first sync and, after one more day, the daily one, slice by slice as a worker does. It is the
one that is measured (`sync_process.py`); this one only looks at the run's row now and then, as the page of runs does.

    peak_mb          the most memory that the syncing process ever held (VmHWM)
    database_share   of the time from the start to the end of a sync, the worse of the two
    seconds          the first sync
    lines_per_s      order lines stored in a second of it
    progress_steps   how often the figure of its progress was seen to rise

The marketplace allows 50 calls a second, of which we use 40: waiting for a turn is part of the time, as it is in life.
The tables say how much of it there was, and what was spent on HTTP, where the stand-in works. `of our work` is the
database's share without both: what it would be beside a marketplace that answers at once and sets no limit.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from threading import Thread
from typing import TYPE_CHECKING, Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.common import print_result, print_table
from bench.database import empty_database
from bench.sync_process import DATABASE, HTTP, PYTHON, TURNS, memory_mb
from config.servers import die_with

if TYPE_CHECKING:
    from apps.jobs.models import JobRun

PRODUCTS, QUICK_PRODUCTS = 100_000, 2_000
HISTORY_DAYS, QUICK_HISTORY_DAYS = 200, 30
START_SECONDS = 600
LOOK_SECONDS = 0.2
BROKER = "?db=5"  # what the runs wake is of no use to anybody
KINDS = (PYTHON, DATABASE, HTTP, TURNS)
OUR_WORK = (PYTHON, DATABASE)


@dataclass
class Seen:
    """What somebody who looks at a run's row gets to see. `tenth_mb`: the most that the process had held by the time a
    tenth of a stage was done, by the stage."""

    steps: int = 0
    stages: list[str] = field(default_factory=list)
    tenth_mb: dict[str, float] = field(default_factory=dict)
    longest_silence: float = 0.0
    _last: tuple[str, int] = ("", 0)
    _moved_at: float = field(default_factory=time.monotonic)

    def look(self, progress: dict[str, Any], pid: int) -> None:
        """A stage may come again with a lower figure: each window of time counts its own rows."""
        if not progress:
            return
        if progress["total"] and progress["done"] >= progress["total"] / 10:
            self.tenth_mb.setdefault(progress["stage"], memory_mb("VmHWM", pid))
        now, present = time.monotonic(), (str(progress["stage"]), int(progress["done"] or 0))
        if present == self._last:
            return
        self.longest_silence = max(self.longest_silence, now - self._moved_at)
        self._moved_at = now
        self.steps += present[0] != self._last[0] or present[1] > self._last[1]
        if present[0] != self._last[0]:
            self.stages.append(present[0])
        self._last = present


@dataclass(frozen=True)
class Measured:
    """One sync: `seconds` by stage and by what they went to."""

    name: str
    wall: float
    peak_mb: float
    now_mb: float
    slices: int
    seconds: dict[str, dict[str, float]]
    seen: Seen

    @property
    def totals(self) -> dict[str, float]:
        return {kind: sum(of_stage.get(kind, 0.0) for of_stage in self.seconds.values()) for kind in KINDS}

    def share(self, kind: str, *, of: Sequence[str] = KINDS) -> float:
        return self.totals[kind] / sum(self.totals[one] for one in of)


@contextmanager
def process(command: list[str], env: dict[str, str], *, pipe: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    """A Python of ours, ended with the block, or by the kernel with this process; `pipe` for what it reads and says."""
    started = subprocess.Popen(
        [sys.executable, *command],
        cwd=Path(__file__).resolve().parents[1],
        env=os.environ | env,
        text=True,
        stdin=pipe,
        stdout=pipe,
        preexec_fn=die_with(os.getpid(), SIGKILL),  # noqa: PLW1509 - a system call, no Python lock
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@contextmanager
def stand_ins(**options: int) -> Iterator[str]:
    """Their address, once they answer: a large world takes a while to be lived through."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["-m", "apps.marketplaces.standins", "--port", str(port)]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    url = f"http://127.0.0.1:{port}"
    with process(command, {}) as standins:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and standins.poll() is None:
            with suppress(requests.ConnectionError):
                requests.get(f"{url}/world/clock", timeout=5).raise_for_status()
                yield url
                return
            time.sleep(0.2)
        raise RuntimeError(f"the stand-in does not answer ({standins.poll()})")


@contextmanager
def syncing_process() -> Iterator["subprocess.Popen[str]"]:
    """The process that is measured; what its runs wake is of no use to anybody, and is thrown away."""
    from django.conf import settings
    from redis import Redis

    from tests.faults.harness import database_url

    env = {"DATABASE_URL": database_url(), "PROCESS_ROLE": "worker", "LOG_LEVEL": "WARNING"}
    with process([str(Path(__file__).with_name("sync_process.py"))], env, pipe=subprocess.PIPE) as worker:
        yield worker
    with Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()


def plan_run(job_name: str) -> "JobRun":
    """The run of this morning, planned as the clock plans it."""
    from apps.common import clock
    from apps.jobs.ledger import plan
    from apps.jobs.timetable import find_job
    from apps.shops.models import Shop

    job = find_job(job_name)
    assert job is not None
    run = plan(job=job, shop=Shop.objects.get(), due=clock.now(), daily=not job.hourly)
    assert run is not None
    return run


def carry_out(job_name: str, name: str, worker: "subprocess.Popen[str]") -> Measured:
    """One run from its start to its end, looked at all the while."""
    run = plan_run(job_name)
    assert worker.stdin is not None
    start = time.perf_counter()
    worker.stdin.write(f"{run.pk}\n")
    worker.stdin.flush()
    answers: list[str] = []
    waiting = Thread(target=lambda: answers.append(worker.stdout.readline()))  # type: ignore[union-attr]
    waiting.start()
    seen, told = Seen(), time.monotonic()
    while waiting.is_alive():
        waiting.join(LOOK_SECONDS)
        run.refresh_from_db()
        seen.look(run.progress, worker.pid)
        if time.monotonic() - told > 15:
            told = time.monotonic()
            print(f"{time.perf_counter() - start:5.0f} s  {name}: {run.progress}", flush=True)
    if not answers[0]:
        raise RuntimeError("the syncing process has ended")
    return Measured(name, time.perf_counter() - start, seen=seen, **json.loads(answers[0]))


def print_stages(measured: Measured) -> None:
    rows = [
        [stage, f"{sum(spent.values()):.1f}", *(f"{spent.get(kind, 0):.1f}" for kind in KINDS)]
        for stage, spent in measured.seconds.items()
    ]
    print_table(f"{measured.name}: seconds by stage", ["stage", "all", *KINDS], rows)


def print_totals(runs: Sequence[Measured]) -> None:
    rows: list[Sequence[object]] = [
        ["seconds", *(f"{one.wall:.0f}" for one in runs)],
        ["slices", *(one.slices for one in runs)],
        *([kind, *[f"{one.share(kind):.0%}" for one in runs]] for kind in KINDS),
        ["database, of our work", *(f"{one.share(DATABASE, of=OUR_WORK):.0%}" for one in runs)],
        ["memory, peak MB", *(f"{one.peak_mb:.0f}" for one in runs)],
        ["memory afterwards, MB", *(f"{one.now_mb:.0f}" for one in runs)],
        ["steps of progress seen", *(one.seen.steps for one in runs)],
        ["longest without a step, s", *(f"{one.seen.longest_silence:.1f}" for one in runs)],
    ]
    print_table("What the time went to", ["", *(one.name for one in runs)], rows)


def measure(url: str) -> None:
    from apps.backoffice.demo.world import World
    from apps.catalog.models import Product
    from apps.marketplaces.standins.registry import API_KEY, CLIENT_ID
    from apps.sales.models import OrderLine
    from apps.shops.models import Credential, Seller, Shop

    shop = Shop.objects.create(seller=Seller.objects.create(name="Bench"), name="Bench", timezone="Europe/Moscow")
    Credential.objects.create(shop=shop, api=Credential.Api.OZON_SELLER, client_id=CLIENT_ID, secret=API_KEY)
    with syncing_process() as worker:
        first = carry_out("ozon_sync", "first sync", worker)
        lines = OrderLine.objects.count()
        print(f"\n{Product.objects.count():,} products, {lines:,} order lines", flush=True)
        print_stages(first)
        World(url).next_day()
        daily = carry_out("ozon_sync", "daily sync", worker)
    both = [first, daily]
    print_stages(daily)
    print_totals(both)
    print_result(
        {
            "peak_mb": max(one.peak_mb for one in both),
            "database_share": max(one.share(DATABASE) for one in both),
            "seconds": first.wall,
            "lines_per_s": lines / first.wall,
            "progress_steps": first.seen.steps,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2,000 products and about 20,000 lines")
    parser.add_argument("--products", type=int)
    parser.add_argument("--history-days", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    products = options.products or (QUICK_PRODUCTS if options.quick else PRODUCTS)
    history_days = options.history_days or (QUICK_HISTORY_DAYS if options.quick else HISTORY_DAYS)
    if products < 1 or history_days < 1 or options.seed < 0:
        parser.error("--products and --history-days must be at least 1, --seed at least 0")
    with stand_ins(skus=products, history_days=history_days, seed=options.seed) as url:
        os.environ |= {"WORLD_URL": url, "OZON_API_URL": url}
        with empty_database("vitrina_bench_sync"):
            measure(url)


if __name__ == "__main__":
    main()
