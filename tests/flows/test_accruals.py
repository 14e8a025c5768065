"""Accruals as the marketplace tells them, day by day, held against the world's sales and against its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from pytest_django import Settings

from apps.common.clock import real_now
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.standins.demand import COMMISSION
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller import accruals as imitated
from apps.marketplaces.standins.world import START, World
from apps.sales.models import Accrual, AccrualType
from apps.sales.shop_sync import BACKGROUND, advance
from apps.shops.clients import ozon_seller
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

BY_DAY = "/v1/finance/accrual/by-day"


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=15, history_days=20) as shop:
        shop.sync()
        yield shop


def world_of(live: LiveShop) -> World:
    return live.standins.of.world


def read(live: LiveShop) -> JobRun:
    run = JobRun.objects.create(
        job="ozon_background", shop=live.shop, slot=f"manual:{uuid4()}", as_of=live.now, state=JobRun.State.RUNNING,
        lease_until=real_now() + timedelta(minutes=10),
    )  # fmt: skip
    deadline = time.monotonic() + 240
    assert advance(run, client=ozon_seller(live.shop), as_of=run.as_of, deadline=deadline, sources=BACKGROUND)
    return run


def spoil(live: LiveShop, kind: Kind, **options: Any) -> None:
    live.standins.of.frame.faults.add(Fault(f"ozon:{BY_DAY}", kind, **options))


def sold_on(live: LiveShop, day: date) -> Decimal:
    """What was delivered on a day less what buyers sent back on it, by the world's own book."""
    book, number = world_of(live).book, (day - START).days
    total = 0
    for place, posting in enumerate(book.postings):
        lines = book.lines[book.first_line[place] : book.first_line[place + 1]]
        worth = int((lines["price"] * lines["quantity"]).sum())
        total += worth if posting["delivered"] == number else 0
        total -= worth if posting["ended"] == number and posting["returned"] and posting["delivered"] < 10**6 else 0
    return Decimal(total) / 100


@pytest.mark.slow
def test_every_day_adds_up_to_what_the_world_delivered(live: LiveShop) -> None:
    read(live)

    days = dict(Accrual.objects.filter(type_code="sale").values_list("day").annotate(Sum("amount")).order_by("day"))
    assert len(days) > 10
    assert days == {day: sold_on(live, day) for day in days}
    sale, commission = (Accrual.objects.filter(type_code=code).aggregate(sum=Sum("amount"))["sum"] for code in
                        ("sale", "commission"))  # fmt: skip
    assert commission == pytest.approx(-sale * Decimal(str(COMMISSION)), rel=Decimal("0.001"))
    assert set(Accrual.objects.values_list("currency", flat=True)) == {"RUB"}
    assert not Accrual.objects.exclude(sku="").filter(product=None).exists()


@pytest.mark.slow
def test_a_type_that_the_directory_does_not_know_is_kept_with_its_number(live: LiveShop) -> None:
    read(live)

    unknown = Accrual.objects.filter(type_code=str(imitated.NOT_IN_THE_DIRECTORY))
    assert unknown.exists()
    assert not AccrualType.objects.filter(external_id=str(imitated.NOT_IN_THE_DIRECTORY)).exists()
    assert AccrualType.objects.get(external_id="32").name == "Logistic"


@pytest.mark.slow
def test_reading_again_changes_nothing(live: LiveShop) -> None:
    read(live)
    before = list(Accrual.objects.order_by("pk").values())

    again = read(live)

    assert list(Accrual.objects.order_by("pk").values()) == before
    written = dict(again.sync_runs.values_list("source", "written"))
    assert (written["accrual_types"], written["accruals"]) == (0, 0)


@pytest.mark.slow
def test_a_late_row_comes_and_a_withdrawn_one_goes(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    read(live)
    day = (live.today - timedelta(days=5) - START).days
    rows = imitated._rows
    gone = next(iter(rows(world_of(live), day)))
    late = {**gone, "accrual_id": 4242}
    monkeypatch.setattr(
        imitated, "_rows", lambda world, of: [*list(rows(world, of))[of == day :], *([late] if of == day else [])]
    )

    read(live)

    assert not Accrual.objects.filter(external_id=str(gone["accrual_id"])).exists()
    assert Accrual.objects.filter(external_id="4242").exists()


@pytest.mark.slow
def test_an_empty_day_that_was_not_empty_before_is_not_believed(live: LiveShop) -> None:
    read(live)
    before = Accrual.objects.count()
    spoil(live, Kind.EMPTY_200, times=None)

    with pytest.raises(SyncIncomplete, match="no accrual of"):
        read(live)

    assert Accrual.objects.count() == before
    assert SyncRun.objects.filter(source="accruals").latest("pk").state == SyncRun.State.INCOMPLETE


@pytest.mark.slow
def test_a_row_that_cannot_be_read_removes_nothing_and_is_told(live: LiveShop) -> None:
    read(live)
    before = set(Accrual.objects.values_list("pk", flat=True))
    spoil(live, Kind.ODD_ROW, times=1)

    run = read(live)

    assert set(Accrual.objects.values_list("pk", flat=True)) == before
    assert run.sync_runs.get(source="accruals").bad_count == 1


@pytest.mark.slow
def test_short_pages_are_read_to_the_end(live: LiveShop) -> None:
    spoil(live, Kind.HALF_PAGE, times=3)

    read(live)

    assert dict(Accrual.objects.filter(type_code="sale").values_list("day").annotate(Sum("amount"))) == {
        day: sold_on(live, day) for day in Accrual.objects.filter(type_code="sale").values_list("day", flat=True)
    }
