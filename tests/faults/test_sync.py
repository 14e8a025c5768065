"""A sync whose workers are killed in the middle of their pages ends complete, with every row there once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from pytest_django import Settings

from apps.backoffice.demo.checks import compare
from apps.jobs.ledger import plan
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.timetable import find_job
from apps.sales.models import Order
from tests.faults.harness import Fleet, Process, eventually
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def planned(live: LiveShop) -> JobRun:
    job = find_job("ozon_sync")
    assert job is not None
    run = plan(job=job, shop=live.shop, due=live.now)
    assert run is not None
    return run


def test_a_sync_goes_on_from_its_last_page_whoever_dies(fleet: Fleet, settings: Settings) -> None:
    with live_shop(settings, skus=40, history_days=60) as live:
        fleet.env = {"OZON_API_URL": live.standins.url, "WORLD_URL": live.standins.url, "JOB_LEASE_SECONDS": "2"}
        run = planned(live)
        fleet.send("jobs.run", run.pk, queue="sync")
        for page in ("3", "2"):
            doomed = fleet.worker("fast,sync", CRASH_BEFORE="apps.jobs.ledger.renew", CRASH_AT=page)
            tick_until(fleet, partial(has_ended, doomed))

        fleet.worker("fast,sync")
        tick_until(fleet, lambda: JobRun.objects.get(pk=run.pk).state == JobRun.State.DONE)

        assert not run.sync_runs.exclude(state=SyncRun.State.COMPLETE).exists()
        assert Order.objects.exists()
        assert compare(live.world, live.shop, live.today - timedelta(days=1)).wrong == ()


def has_ended(process: Process) -> bool:
    return not process.is_running


def tick_until(fleet: Fleet, is_so: Callable[[], bool]) -> None:
    """The minute's tick, faster: it takes over what the dead have left."""

    def ticked() -> bool:
        fleet.send("jobs.catch_up")
        return is_so()

    eventually(ticked, "the sync goes on", within=60, every=0.5)
