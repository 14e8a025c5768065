"""A marketplace in trouble: a sync ends complete or incomplete, never wrong.

Lists come in pages of a few rows, so that trouble can meet a list in its middle.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import stamina
from pytest_django import Settings

from apps.catalog.models import Product, StockSnapshot
from apps.common.clock import real_now
from apps.common.errors import Refused
from apps.common.periods import Period
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.ozon_seller import client
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller import products, stand_in
from apps.sales import sync
from apps.sales.models import Order, OrderLine
from apps.sales.shop_sync import data_as_of
from tests.flows.shop import LiveShop, free_limits, go_on, live_shop, new_run
from tests.flows.truth import assert_equals_the_ledger

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

HISTORY = 8
PAGES = {"PRODUCTS": 5, "STOCKS": 5, "FBO_STOCKS": 5, "FBO_POSTINGS": 50, "FBS_POSTINGS": 50}
FBO = "/v3/posting/fbo/list"
# What is said once and taken back when asked again, or is no answer at all. Rows with wrong values are not among it.
WEATHER: dict[Kind, dict[str, Any]] = {
    Kind.TOO_MANY: {},
    Kind.SERVER_ERROR: {},
    Kind.LOST_502: {},
    Kind.HANG: {"delay": 5.0},
    Kind.TRUNCATED_JSON: {},
    Kind.HTML: {},
    Kind.RESET: {},
    Kind.RESET_AFTER_APPLY: {},
    Kind.HALF_PAGE: {},
    Kind.REPEATED_CURSOR: {},
    Kind.EMPTY_200: {},
}
ERROR_RATE = 0.3


@pytest.fixture
def live(settings: Settings, empty_redis: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveShop]:
    settings.HTTP_DEADLINE_SECONDS = 2
    for name, limit in PAGES.items():
        monkeypatch.setattr(client, name, replace(getattr(client, name), limit=limit))
    monkeypatch.setattr(sync, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(sync, "HISTORY_DAYS", HISTORY)
    with stamina.set_testing(True, attempts=3), live_shop(settings, skus=15, history_days=HISTORY) as live:
        leave_the_analytics_alone(live)
        yield live


def leave_the_analytics_alone(live: LiveShop) -> None:
    """They may be asked once a minute, which would be a minute for each attempt."""
    soon = real_now() + timedelta(hours=1)
    SyncRun.objects.create(shop=live.shop, source="crosscheck", started_at=soon, as_of=live.now, state="complete")


def spoil(live: LiveShop, path: str, kind: Kind, **options: Any) -> None:
    live.standins.of.frame.faults.add(Fault(f"ozon:{path}", kind, **options))


def fails(live: LiveShop) -> SyncIncomplete:
    with pytest.raises(SyncIncomplete) as raised:
        go_on(live, new_run(live))
    return raised.value


def answers_with(monkeypatch: pytest.MonkeyPatch, change: Callable[[str, Any], tuple[str, Any]]) -> None:
    """Every field of every answer becomes what `change` makes of its name and value."""
    true = stand_in.spoiled

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return dict(change(name, changed(inner)) for name, inner in value.items())
        return [changed(inner) for inner in value] if isinstance(value, list) else value

    monkeypatch.setattr(stand_in, "spoiled", lambda fault, answer: changed(true(fault, answer)))


def whole_truth(live: LiveShop) -> None:
    """Everything of the world is there, up to yesterday."""
    yesterday = live.today - timedelta(days=1)
    assert_equals_the_ledger(live, Period.ending(yesterday, days=HISTORY), events=None)
    assert Product.objects.filter(is_archived=False).count() == 15
    assert StockSnapshot.objects.filter(day=live.today).values("product").distinct().count() == 15


def kept(live: LiveShop) -> dict[str, Any]:
    """What an incomplete sync must leave as it is."""
    return {
        "as_of": data_as_of(live.shop),
        "prices": dict(Product.objects.values_list("external_id", "price")),
        "archived": Product.objects.filter(is_archived=True).count(),
        "lines": list(OrderLine.objects.order_by("pk").values("order", "position", "quantity", "price")),
    }


def test_an_empty_answer_in_the_middle_of_a_list_is_not_its_end(live: LiveShop) -> None:
    for path in (FBO, "/v4/posting/fbs/list", "/v3/product/list", "/v1/product/info/stocks-by-warehouse/fbo"):
        spoil(live, path, Kind.EMPTY_200, after_calls=1)

    live.sync()

    whole_truth(live)


@pytest.mark.slow
def test_a_row_that_leaves_the_list_while_it_is_read_archives_nobody(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.sync()
    as_of = data_as_of(live.shop)
    live.world.next_day()
    listed, calls = products.chosen_products, iter(range(1000))

    def shrinking(world: Any, wanted: Any, **options: Any) -> list[int]:
        """The first product is gone after the first page: the sixth moves up to where it was read already."""
        rows = listed(world, wanted, **options)
        return rows if wanted.get("product_id") or next(calls) == 0 else rows[1:]

    monkeypatch.setattr(products, "chosen_products", shrinking)

    error = fails(live)

    assert str(error) == "products: the list shrank from 15 to 14 rows while it was read"
    assert not Product.objects.filter(is_archived=True).exists()
    assert data_as_of(live.shop) == as_of
    live.sync()
    assert [product.offer_id for product in Product.objects.filter(is_archived=True)] == [
        live.standins.of.world.catalog.offer_id[0]
    ]


@pytest.mark.slow
def test_a_row_that_joins_the_list_while_it_is_read_is_there_the_next_time(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, calls = products.chosen_products, iter(range(1000))

    def growing(world: Any, wanted: Any, **options: Any) -> list[int]:
        """A new product comes first after the first page: the fifth moves down and comes twice."""
        rows = listed(world, wanted, **options)
        return rows if wanted.get("product_id") or next(calls) else rows[1:]

    monkeypatch.setattr(products, "chosen_products", growing)
    live.sync()
    assert Product.objects.count() == 14

    live.next_morning()

    whole_truth(live)


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("price", "products"),
        pytest.param("product_id", "products", marks=pytest.mark.slow),
        pytest.param("last_id", "products", marks=pytest.mark.slow),
        pytest.param("sales_percent_fbo", "products", marks=pytest.mark.slow),
        pytest.param("present", "stock", marks=pytest.mark.slow),
        pytest.param("stocks", "stock", marks=pytest.mark.slow),
        pytest.param("cursor", "stock", marks=pytest.mark.slow),
        ("in_process_at", "fbo_postings"),
        pytest.param("postings", "fbo_postings", marks=pytest.mark.slow),
        pytest.param("quantity", "fbo_postings", marks=pytest.mark.slow),
        pytest.param("status", "fbo_postings", marks=pytest.mark.slow),
    ],
)
def test_a_field_with_another_name_makes_the_day_incomplete(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch, field: str, source: str
) -> None:
    live.sync()
    before = kept(live)
    live.world.next_day()
    answers_with(monkeypatch, lambda name, value: (f"{name}_v2" if name == field else name, value))

    error = fails(live)

    assert error.source == source
    assert kept(live) == before
    assert not StockSnapshot.objects.filter(day=live.today).exists() or source == "fbo_postings"
    monkeypatch.undo()
    live.sync()
    whole_truth(live)


@pytest.mark.slow
def test_a_price_that_comes_as_a_text_with_a_number_is_that_number(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.sync()
    before = kept(live)["prices"]
    answers_with(monkeypatch, lambda name, value: (name, str(value) if name == "price" and is_number(value) else value))

    live.sync()

    assert kept(live)["prices"] == before
    assert not SyncRun.objects.filter(bad_count__gt=0).exists()


@pytest.mark.slow
def test_prices_that_come_as_words_make_the_day_incomplete(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    live.sync()
    before = kept(live)
    live.world.next_day()
    answers_with(
        monkeypatch, lambda name, value: (name, f"{value} ₽" if name == "price" and is_number(value) else value)
    )

    error = fails(live)

    assert str(error) == "products: 5 of 5 rows could not be read"
    assert kept(live) == before


def is_number(value: object) -> bool:
    return isinstance(value, int | float)


def test_a_job_that_is_tried_again_goes_on_where_it_stopped(live: LiveShop) -> None:
    run = new_run(live)
    spoil(live, FBO, Kind.SERVER_ERROR, after_calls=3, times=3)
    with pytest.raises(SyncIncomplete):
        go_on(live, run)
    stopped = SyncRun.objects.get(source="fbo_postings")
    assert (stopped.state, stopped.pages) == (SyncRun.State.INCOMPLETE, 3)
    assert Order.objects.count() == 3 * PAGES["FBO_POSTINGS"]
    assert data_as_of(live.shop) is None
    with pytest.raises(Refused, match="not complete"):
        live.analyse()

    assert go_on(live, run)

    stopped.refresh_from_db()
    assert (stopped.state, stopped.error) == (SyncRun.State.COMPLETE, "")
    read = live.pages_read(FBO)
    assert len(read) == len(set(read)), "no page was read twice"
    whole_truth(live)


@pytest.mark.slow
def test_a_list_that_went_in_a_circle_is_read_from_its_beginning(live: LiveShop) -> None:
    run = new_run(live)
    spoil(live, FBO, Kind.REPEATED_CURSOR, after_calls=3)
    with pytest.raises(SyncIncomplete, match="repeats a cursor"):
        go_on(live, run)

    assert go_on(live, run)

    assert SyncRun.objects.filter(source="fbo_postings", state=SyncRun.State.INCOMPLETE).count() == 1
    whole_truth(live)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_sync_through_thirty_percent_of_errors_ends_complete_and_right(live: LiveShop, seed: int) -> None:
    draw = random.Random(seed)
    until_complete(live, draw)
    whole_truth(live)

    live.world.next_day()
    interrupted = until_complete(live, draw)
    whole_truth(live)

    spoiled = [call for call in live.standins.of.frame.calls.of("ozon:*") if call.fault]
    assert len(spoiled) > 0.25 * len(live.standins.of.frame.calls.of("ozon:*"))
    assert {call.fault for call in spoiled} == {str(kind) for kind in WEATHER}
    assert interrupted > 0, "the job was tried again"


def until_complete(live: LiveShop, draw: random.Random) -> int:
    """Try the job again until it is complete; returns how often it was not."""
    run, before, interrupted = new_run(live), kept(live), 0
    while True:
        free_limits()
        storm(live, draw)
        try:
            assert go_on(live, run)
        except SyncIncomplete:
            interrupted += 1
            assert interrupted < 100
            assert_nothing_was_concluded(live, run, before)
        else:
            return interrupted


def storm(live: LiveShop, draw: random.Random, calls: int = 1000) -> None:
    """Three calls in ten go wrong, each in a way of its own."""
    faults = live.standins.of.frame.faults
    faults.clear()
    healthy = 0
    for _ in range(calls):
        if draw.random() > ERROR_RATE:
            healthy += 1
            continue
        kind = draw.choice(list(WEATHER))
        faults.add(Fault("ozon:/v*", kind, after_calls=healthy, **WEATHER[kind]))
        healthy = 0


def assert_nothing_was_concluded(live: LiveShop, run: JobRun, before: dict[str, Any]) -> None:
    assert data_as_of(live.shop) == before["as_of"]
    assert Product.objects.filter(is_archived=True).count() == 0
    assert not run.sync_runs.filter(source="facts").exists()
    with pytest.raises(Refused, match="not complete"):
        live.analyse()
