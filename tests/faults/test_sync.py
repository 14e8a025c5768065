"""A sync whose workers are killed in the middle of their pages ends complete, with every row there once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from pytest_django import Settings

from apps.backoffice.demo.checks import compare
from apps.catalog.models import Product
from apps.jobs.ledger import plan
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.timetable import find_job
from apps.marketplaces.standins.ozon_seller import postings, products
from apps.marketplaces.standins.ozon_seller.posting_rows import posting_number
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


class Shifting:
    """A list whose rows move while it is read: with each page one more of its first rows is gone, so that the next page
    begins a row too late. `is_on` until the marketplace has come to rest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, *, named: str = "") -> None:
        """Stands in for a function of the stand-in; `named` is an option that tells its pages from other uses."""
        self.is_on, self.pages, self._rows, self._named = True, 0, getattr(module, name), named
        monkeypatch.setattr(module, name, self)

    def __call__(self, *asked: Any, **options: Any) -> Any:
        rows = self._rows(*asked, **options)
        if not self.is_on or (self._named and self._named not in options):
            return rows
        self.pages += 1
        return rows[self.pages :]


@pytest.mark.timeout(300)
def test_rows_that_move_between_pages_are_doubted_or_all_there_after_the_next_look(
    fleet: Fleet, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that says how long it is cannot shrink unnoticed; the postings, which do not say it, are read again."""
    with live_shop(settings, skus=2500, history_days=20) as live:
        moving_products = Shifting(monkeypatch, products, "chosen_products", named="sku_field")
        moving_postings = Shifting(monkeypatch, postings, "_in_period")
        fleet.env = {"OZON_API_URL": live.standins.url, "WORLD_URL": live.standins.url}
        fleet.worker("fast,sync")

        doubted = planned(live)
        ended(fleet, doubted, JobRun.State.FAILED)
        assert not doubted.sync_runs.filter(source="products", state=SyncRun.State.COMPLETE).exists()

        moving_products.is_on = False
        live.world.next_day()
        ended(fleet, planned(live), JobRun.State.DONE)
        missed = missing(live)
        assert missed["products"] == 0
        assert missed["postings"] > 20, "the test has moved many"

        moving_postings.is_on = False
        live.world.next_day()
        ended(fleet, planned(live), JobRun.State.DONE)

        assert missing(live) == {"products": 0, "postings": 0}
        assert not Product.objects.filter(is_archived=True).exists()
        assert compare(live.world, live.shop, live.today - timedelta(days=1)).wrong == ()


def ended(fleet: Fleet, run: JobRun, state: JobRun.State) -> None:
    fleet.send("jobs.run", run.pk, queue="sync")
    eventually(JobRun.objects.filter(pk=run.pk, state=state).exists, f"{run} is {state.label}", within=120)


def missing(live: LiveShop) -> dict[str, int]:
    """How many of what the marketplace has are not stored; there is never one more than it has."""
    world = live.standins.of.world
    theirs = {str(number) for number in world.catalog.product_id.tolist()}
    ours = set(Product.objects.values_list("external_id", flat=True))
    sold = {posting_number(world, posting) for posting in world.book.postings}
    known = set(Order.objects.values_list("external_id", flat=True))
    assert ours <= theirs
    assert known <= sold
    return {"products": len(theirs - ours), "postings": len(sold - known)}
