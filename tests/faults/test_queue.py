"""The queue under faults: what takes too long, too much memory or too many places stands in nobody else's way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
import redis
from pytest_django import Settings

from apps.decisions.models import Command
from apps.jobs.models import JobRun, Pulse
from apps.notifications.models import OutboxMessage
from apps.shops.models import Shop
from tests import cast
from tests.faults.harness import Fleet, eventually
from tests.faults.test_slots import claimed, is_done, traces
from tests.faults.timetable import HOARD
from tests.faults.trade import Trade, trade_of

pytestmark = [pytest.mark.fault, pytest.mark.slow]

State = JobRun.State
FLOOD, FLOODED = 50_000, "vitrina:analytics"
CHANGES = 5


@pytest.fixture(autouse=True)
def _with_jobs_that_leave_a_trace(settings: Settings) -> None:
    settings.TIMETABLE = "tests.faults.timetable"


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    return cast.anna().seller.shops.get()


@pytest.fixture
def broker(fleet: Fleet) -> Iterator[redis.Redis]:
    with redis.from_url(fleet.redis_url) as client:
        yield client


@pytest.mark.parametrize("end", ["killed", "refused"])
def test_a_run_that_wants_more_memory_than_there_is_ends_after_three_and_harms_no_other(
    fleet: Fleet, shop: Shop, end: str
) -> None:
    """The kernel kills the process, or refuses it more and the process lives on."""
    worker = fleet.worker("fast", JOB_LEASE_SECONDS="1", OUT_OF_MEMORY=end)
    hungry, modest = claimed(shop, HOARD.name), claimed(shop)
    fleet.send("jobs.run", hungry.pk)
    fleet.send("jobs.run", modest.pk)

    def is_given_up() -> bool:
        fleet.send("jobs.catch_up")
        hungry.refresh_from_db()
        return hungry.state == State.FAILED

    eventually(is_given_up, "the hungry run is given up", every=0.5)
    eventually(lambda: is_done(modest), "the modest one is done")
    for _ in range(3):
        fleet.send("jobs.run", hungry.pk)
    fleet.send("health.ping", "fast")
    eventually(Pulse.objects.filter(part="queue:fast").exists, "the queue is drained")

    assert hungry.attempt == 3
    assert traces() == {"hoard.began": 3, "trace.began": 1, "trace.ended": 1}
    assert worker.is_running
    fleet.send("jobs.watchdog")
    eventually(OutboxMessage.objects.filter(name="job_failed", params={"run": hungry.pk}).exists, "the owner is told")


def test_a_run_that_outlasts_the_brokers_patience_is_delivered_again_and_not_run_again(
    fleet: Fleet, shop: Shop, broker: redis.Redis
) -> None:
    run = claimed(shop)
    worker = fleet.worker("fast", 3, VISIBILITY_SECONDS="2", TRACE_SECONDS="9", JOB_LEASE_SECONDS="60")
    fleet.send("jobs.run", run.pk)
    eventually(lambda: is_done(run), "the run is done", within=60)

    assert len([line for line in worker.lines() if "jobs.run" in line and "received" in line]) >= 2
    eventually(lambda: not broker.zcard("vitrina:unacked_index") and not broker.llen("vitrina:fast"), "no copy is left")
    assert traces() == {"trace.began": 1, "trace.ended": 1}
    assert (run.attempt, run.lease_version) == (1, 1)


@pytest.mark.timeout(300)
def test_fifty_thousand_reports_in_the_queue_hold_up_no_price(fleet: Fleet, broker: redis.Redis) -> None:
    with trade_of(fleet, skus=40) as trade:
        trade.worker()
        in_peace = [seconds_of(trade, trade.approved()) for _ in range(CHANGES)]

        flood(fleet, broker)
        fleet.worker("sync,analytics", 2)  # as in the Procfile
        in_the_flood = [seconds_of(trade, trade.approved()) for _ in range(CHANGES)]

        assert 0 < broker.llen(FLOODED) < FLOOD, "it is being worked off"
        assert median(in_the_flood) < 2 * median(in_peace)


def seconds_of(trade: Trade, command: Command) -> float:
    """From the press to the price that was read back."""
    began = time.monotonic()
    trade.run(command)
    assert trade.follow(command, ticking=False) == [Command.State.VERIFIED]
    return time.monotonic() - began


def flood(fleet: Fleet, broker: redis.Redis) -> None:
    """Copies of one message, each with its own name: sending them one by one would take a minute."""
    fleet.send("jobs.run", 0, queue="analytics")
    taken = broker.lpop(FLOODED)
    assert isinstance(taken, bytes)
    message = json.loads(taken)
    for _ in range(0, FLOOD, 1000):
        broker.lpush(FLOODED, *[json.dumps(_renamed(message)) for _ in range(1000)])


def _renamed(message: dict[str, Any]) -> dict[str, Any]:
    name = str(uuid4())
    properties = message["properties"] | {"correlation_id": name, "delivery_tag": str(uuid4())}
    return message | {"headers": message["headers"] | {"id": name, "root_id": name}, "properties": properties}
