"""A shop's sync against the stand-in over HTTP, held against the world's own ledger and against its faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings
from redis import Redis

from apps.backoffice.demo.world import World as ControlledWorld
from apps.catalog.models import PriceChange, Product, StockSnapshot
from apps.common.clock import real_now
from apps.common.periods import Period
from apps.jobs.ledger import LeaseLost
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller import posting_rows, products, stocks
from apps.marketplaces.standins.ozon_seller import postings as posting_pages
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.marketplaces.standins.registry import running_standins
from apps.marketplaces.standins.world import NewPrice, World
from apps.sales.models import DailyFact, Order, OrderLine, SalesHistory, TouchedDay
from apps.sales.panel import IN_STOCK, OUT_OF_STOCK, UNKNOWN_STOCK, panel
from apps.sales.shop_sync import data_as_of, summary
from apps.sales.totals import totals
from apps.shops import key_check
from apps.shops.models import Credential
from tests import cast
from tests.flows.shop import API_KEY, LiveShop, go_on, live_shop, new_run
from tests.flows.truth import EVENTS, assert_equals_the_ledger, facts, rows_of, truth

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

HISTORY = 15  # days of the small worlds


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=15, history_days=HISTORY) as shop:
        yield shop


def world_of(live: LiveShop) -> World:
    return live.standins.of.world


def fails(live: LiveShop) -> SyncIncomplete:
    with pytest.raises(SyncIncomplete) as raised:
        go_on(live, new_run(live))
    return raised.value


def spoil(live: LiveShop, path: str, kind: Kind, **options: Any) -> None:
    live.standins.of.frame.faults.add(Fault(f"ozon:{path}", kind, **options))


@pytest.mark.slow
def test_every_figure_equals_the_ledger_after_the_first_sync_and_after_each_day(
    settings: Settings, empty_redis: object
) -> None:
    with live_shop(settings, skus=8, history_days=200) as live:
        live.sync()
        first_sync, history = live.today, SalesHistory.objects.get()
        assert history.sales_from == first_sync - timedelta(days=180)
        assert history.events_from == first_sync
        assert_equals_the_ledger(live, Period(history.sales_from, first_sync - timedelta(days=1)), events=None)
        assert not DailyFact.objects.filter(cancellations__isnull=False).exists()

        for _ in range(2):
            live.next_morning()
            yesterday = live.today - timedelta(days=1)
            assert_equals_the_ledger(live, Period(history.sales_from, yesterday), events=Period(first_sync, yesterday))

        assert sum(sum(values) for values in facts(live, EVENTS, Period(first_sync, yesterday)).values()) > 0
        whole = totals(live.shop, Period(first_sync, yesterday))
        assert whole is not None
        assert (whole.cancellations, whole.returns) == tuple(
            sum(values[place] for values in truth(live, EVENTS, Period(first_sync, yesterday)).values())
            for place in (0, 1)
        )
        assert not TouchedDay.objects.filter(day__lt=live.today).exists()


@pytest.mark.slow
def test_a_day_is_a_day_of_the_shop_s_own_zone(settings: Settings, empty_redis: object) -> None:
    zone = "Asia/Vladivostok"
    imitated = ImitatedShop(client_id="101", api_key=API_KEY, skus=15, history_days=HISTORY, zone=zone)
    with running_standins(shops=[imitated]) as standins:
        settings.OZON_API_URL = settings.WORLD_URL = standins.url
        owner = cast.anna()
        owner.seller.shops.update(timezone=zone)
        live = LiveShop(owner, owner.seller.shops.get(), ControlledWorld(standins.url), standins)
        live.sync()
        live.next_morning()
        yesterday = live.today - timedelta(days=1)
        assert_equals_the_ledger(live, Period.ending(yesterday, days=HISTORY), events=Period(yesterday, yesterday))


@pytest.mark.slow
def test_a_day_that_nothing_was_synced_on_is_made_up_for(live: LiveShop) -> None:
    live.sync()
    first_sync = live.today
    for _ in range(3):
        live.world.next_day()
    live.next_morning()

    yesterday = live.today - timedelta(days=1)
    assert_equals_the_ledger(live, Period(first_sync - timedelta(days=HISTORY - 1), yesterday), events=None)
    seen = facts(live, ("cancellations",), Period(first_sync, yesterday))
    assert {day for (_, day), values in seen.items() if any(values)} <= {yesterday}, "a change is seen when it is read"
    returns = facts(live, ("returns",), Period(first_sync, yesterday))
    true_days = {day for _, day in truth(live, ("returns",), Period(first_sync, yesterday))}
    told = {day for (_, day), values in returns.items() if any(values)}
    assert told <= {*true_days, yesterday}, "some tell their own day"


@pytest.mark.slow
def test_stock_is_known_from_the_first_morning_on(live: LiveShop) -> None:
    live.sync()
    first_morning = live.today
    mornings = [world_of(live).shelf.free > 0]
    for _ in range(3):
        live.next_morning()
        mornings.append(world_of(live).shelf.free > 0)

    seen = panel(live.shop, first_morning - timedelta(days=3), live.today)
    in_stock = seen.in_stock[rows_of(live, seen)]
    whole_days = np.array([np.where(a & b, IN_STOCK, OUT_OF_STOCK) for a, b in pairwise(mornings)])
    assert (in_stock[:, 3:-1] == whole_days.T).all()
    assert (in_stock[:, :2] == UNKNOWN_STOCK).all()
    assert (in_stock[:, 2] == np.where(mornings[0], UNKNOWN_STOCK, OUT_OF_STOCK)).all(), "one empty morning is enough"


def test_a_second_sync_of_the_day_changes_nothing(live: LiveShop) -> None:
    live.sync()
    before = [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, DailyFact, StockSnapshot)]

    again = live.sync()

    after = [list(model.objects.order_by("pk").values()) for model in (Order, OrderLine, DailyFact, StockSnapshot)]
    assert after == before
    written = dict(again.sync_runs.values_list("source", "written"))
    assert {source for source, rows in written.items() if rows} <= {"account"}


@pytest.mark.slow
def test_the_morning_s_stock_is_kept(live: LiveShop) -> None:
    live.sync()
    before = list(StockSnapshot.objects.order_by("pk").values())
    world_of(live).shelf.free[:] = 0

    live.sync()

    assert list(StockSnapshot.objects.order_by("pk").values()) == before


def test_it_goes_on_where_the_last_slice_stopped(live: LiveShop) -> None:
    run, slices = new_run(live), 0
    while not go_on(live, run, seconds=0):
        slices += 1
        assert data_as_of(live.shop) is None
    assert slices >= 1
    assert data_as_of(live.shop) == run.as_of
    last = live.today - timedelta(days=1)
    assert_equals_the_ledger(live, Period.ending(last, days=HISTORY), events=None)
    read = live.pages_read("/v3/posting/fbo/list")
    assert len(read) == len(set(read)), "no page was read twice"


def test_a_worker_that_was_believed_dead_stores_nothing(live: LiveShop) -> None:
    run = new_run(live)
    go_on(live, run, seconds=0)
    orders = Order.objects.count()
    JobRun.objects.filter(pk=run.pk).update(lease_version=2)

    with pytest.raises(LeaseLost):
        go_on(live, run)

    assert Order.objects.count() == orders


def test_the_progress_is_told(live: LiveShop) -> None:
    run = new_run(live)
    told = []
    while not go_on(live, run, seconds=0):
        run.refresh_from_db()
        told.append(run.progress)
    fbo = [progress["done"] for progress in told if progress["stage"] == "fbo_postings"]
    assert fbo == sorted(fbo)
    assert {progress["total"] for progress in told if progress["stage"].endswith("postings")} == {181}, "days"


def test_short_pages_are_read_to_the_end(live: LiveShop) -> None:
    for path in ("/v3/product/list", "/v3/posting/fbo/list", "/v4/posting/fbs/list", "/v4/product/info/stocks"):
        spoil(live, path, Kind.HALF_PAGE, times=2)

    live.sync()

    assert Product.objects.count() == 15
    assert_equals_the_ledger(live, Period.ending(live.today - timedelta(days=1), days=HISTORY), events=None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/v3/posting/fbo/list", "fbo_postings"),
        ("/v4/posting/fbs/list", "fbs_postings"),
    ],
)
def test_a_list_that_goes_in_a_circle_is_incomplete(live: LiveShop, path: str, source: str) -> None:
    spoil(live, path, Kind.REPEATED_CURSOR, times=None)

    error = fails(live)

    assert error.source == source
    run = SyncRun.objects.filter(source=source).latest("pk")
    assert (run.state, run.finished_at is not None) == (SyncRun.State.INCOMPLETE, True)
    assert "cursor" in run.error
    assert data_as_of(live.shop) is None


@pytest.mark.slow
def test_the_next_job_makes_up_for_one_that_failed(live: LiveShop) -> None:
    spoil(live, "/v4/posting/fbs/list", Kind.TRUNCATED_JSON, times=6)
    assert fails(live).source == "fbs_postings"
    assert SalesHistory.objects.get().events_from is None

    live.next_morning()

    assert data_as_of(live.shop) is not None
    assert_equals_the_ledger(live, Period.ending(live.today - timedelta(days=1), days=HISTORY), events=None)
    assert SalesHistory.objects.get().events_from == live.today


@pytest.mark.slow
def test_empty_answers_for_everything_archive_nothing_and_feed_no_decision(live: LiveShop) -> None:
    live.sync()
    as_of = data_as_of(live.shop)
    live.world.next_day()
    spoil(live, "/v*", Kind.EMPTY_200, times=None)

    error = fails(live)

    assert error.source == "products"
    assert "expected" in error.reason
    assert Product.objects.filter(is_archived=True).count() == 0
    assert data_as_of(live.shop) == as_of


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/v1/product/info/stocks-by-warehouse/fbo", "stock"),
        ("/v3/posting/fbo/list", "fbo_postings"),
        ("/v3/product/info/list", "products"),
    ],
)
def test_one_empty_list_makes_the_day_incomplete(live: LiveShop, path: str, source: str) -> None:
    live.sync()
    live.world.next_day()
    spoil(live, path, Kind.EMPTY_200, times=None)

    assert fails(live).source == source
    assert not StockSnapshot.objects.filter(day=live.today).exists() or source != "stock"
    live.standins.of.frame.faults.clear()
    live.sync()
    yesterday = live.today - timedelta(days=1)
    assert_equals_the_ledger(live, Period.ending(yesterday, days=HISTORY), events=Period(yesterday, yesterday))


@pytest.mark.slow
def test_a_product_that_vanished_is_archived_and_comes_back(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    live.sync()
    gone = world_of(live).catalog.offer_id[3]
    listed = products.chosen_products
    monkeypatch.setattr(
        products,
        "chosen_products",
        lambda world, wanted, **options: [i for i in listed(world, wanted, **options) if i != 3],
    )
    live.next_morning()
    product = Product.objects.get(offer_id=gone)
    assert product.is_archived
    assert list(Product.objects.filter(is_archived=True)) == [product]
    assert product.daily_facts.exists()

    monkeypatch.undo()
    live.next_morning()
    product.refresh_from_db()
    assert not product.is_archived


@pytest.mark.slow
def test_a_row_that_cannot_be_read_loses_nobody_else(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    live.sync()
    world = world_of(live)
    card = products._info
    spoiled = {**card(world, 2, stocks.by_place(world)), "currency_code": 7, "price": "1 448,00"}
    monkeypatch.setattr(products, "_info", lambda world, i, *rest: spoiled if i == 2 else card(world, i, *rest))
    world.catalog.name[1] = "Кружка, новое имя"

    live.next_morning()

    run = SyncRun.objects.filter(source="products").latest("pk")
    assert (run.state, run.received, run.bad_count) == (SyncRun.State.COMPLETE, 15, 1)
    assert run.bad_rows[0]["id"] == str(world.catalog.product_id[2])
    assert "price" in run.bad_rows[0]["reason"]
    assert "448" not in str(run.bad_rows), "a value may be personal"
    assert not Product.objects.get(external_id=str(world.catalog.product_id[2])).is_archived
    assert Product.objects.get(external_id=str(world.catalog.product_id[1])).name == "Кружка, новое имя"


@pytest.mark.slow
def test_a_card_that_is_older_than_what_is_stored_is_left_out_and_counted(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the marketplace that lags behind answers for the product."""
    card, told = products._info, {"name": "Кружка, новое имя", "updated_at": "2025-06-03T12:00:00Z"}
    monkeypatch.setattr(
        products, "_info", lambda world, i, *rest: {**card(world, i, *rest), **(told if i == 2 else {})}
    )
    live.sync()
    told.update(name="Кружка, старое имя", updated_at="2025-06-03T11:59:59Z")

    run = live.sync()

    product = Product.objects.get(external_id=str(world_of(live).catalog.product_id[2]))
    assert (product.name, product.synced_at) == ("Кружка, новое имя", run.as_of)
    bad = run.sync_runs.get(source="products").bad_rows
    assert [(row["id"], row["reason"]) for row in bad] == [
        (product.external_id, "as of 03.06.2025 11:59, what is stored is newer")
    ]
    told.update(name="Кружка, ещё новее", updated_at="2025-06-03T12:00:01Z")
    live.sync()
    product.refresh_from_db()
    assert product.name == "Кружка, ещё новее"


@pytest.mark.slow
def test_money_of_another_country_is_reported_and_never_stored(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    line = posting_rows._product
    foreign = {"amount": "85", "currency": "KZT"}
    monkeypatch.setattr(
        posting_rows, "_product", lambda world, of: {**line(world, of), **({"price": foreign} if of[0] == 4 else {})}
    )
    run = live.sync()

    sku = int(world_of(live).catalog.sku[4])
    assert not OrderLine.objects.filter(external_product_id=str(sku)).exists()
    assert Order.objects.exists()
    assert not Order.objects.exclude(currency="RUB").exists()
    bad = [bad for sync in run.sync_runs.filter(source__endswith="postings") for bad in sync.bad_rows]
    assert {bad["reason"] for bad in bad} == {"products: in KZT, the shop's money is RUB"}


def test_a_shop_whose_account_sells_in_other_money_is_not_read(live: LiveShop) -> None:
    live.standins.of.accounts[0].currency = "KZT"

    error = fails(live)

    assert str(error) == "account: the account sells in KZT, the shop is set to RUB"
    assert not Product.objects.exists()


@pytest.mark.slow
def test_a_key_that_is_no_longer_valid_is_noted_with_the_reason(live: LiveShop) -> None:
    live.sync()
    key = Credential.objects.get(shop=live.shop)
    assert (key.problem, key.checked_at is not None, key.expires_at is not None) == ("", True, True)
    spoil(live, "/v*", Kind.REVOKED_KEY, times=None)

    fails(live)

    key.refresh_from_db()
    assert "deactivated" in key.problem
    assert key.secret.reveal() not in key.problem
    live.standins.of.frame.faults.clear()
    key_check.check(key)
    live.sync()
    key.refresh_from_db()
    assert key.problem == ""


@pytest.mark.slow
def test_prices_have_a_history_with_its_sources(live: LiveShop) -> None:
    live.sync()
    assert set(PriceChange.objects.values_list("source", flat=True)) == {PriceChange.Source.FIRST_SEEN}
    assert PriceChange.objects.count() == Product.objects.exclude(price=None).count() == 15
    world = world_of(live)
    product = Product.objects.get(sku=int(world.catalog.sku[0]))

    live.world.next_day()
    world.write_price(NewPrice(0, int(world.price[0]) + 5_000))
    live.sync()

    change = PriceChange.objects.get(source=PriceChange.Source.MARKETPLACE)
    assert (change.product, change.price_from, change.price_to) == (product, product.price, product.price + 50)
    assert (change.seen_on, change.currency) == (live.today, "RUB")
    live.sync()
    assert PriceChange.objects.count() == 16


@pytest.mark.slow
def test_a_price_set_by_a_command_is_not_told_twice(live: LiveShop) -> None:
    live.sync()
    world = world_of(live)
    product = Product.objects.get(sku=int(world.catalog.sku[0]))
    price = product.price + 50
    late = new_run(live)
    world.write_price(NewPrice(0, int(price * 100)))
    Product.objects.filter(pk=product.pk).update(price=price)
    PriceChange.objects.create(
        product=product, seen_at=live.now, seen_on=live.today, price_from=product.price, price_to=price,
        currency="RUB", source=PriceChange.Source.VITRINA, command_id=1,
    )  # fmt: skip

    live.next_morning()
    assert PriceChange.objects.filter(product=product).count() == 2

    # A sync that began before the command ended may have read the price of before.
    world.write_price(NewPrice(0, int(product.price * 100)))
    go_on(live, late)
    product.refresh_from_db()
    assert product.price == price
    assert PriceChange.objects.filter(product=product).count() == 2


@pytest.mark.slow
def test_a_posting_that_comes_twice_counts_once(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = posting_pages.fbo_rows
    monkeypatch.setattr(posting_pages, "fbo_rows", lambda *asked: [row for row in rows(*asked) for _ in range(2)])

    run = live.sync()

    assert_equals_the_ledger(live, Period.ending(live.today - timedelta(days=1), days=HISTORY), events=None)
    told = summary(run)
    assert told["unread"]["fbo_postings"] == Order.objects.filter(channel="ozon_fbo").count()
    assert told["written"]["fbs_postings"] > 0
    assert told["lines_without_product"] == 0


@pytest.mark.slow
def test_sales_of_a_product_that_comes_later_are_counted_when_it_does(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = products.chosen_products
    monkeypatch.setattr(
        products,
        "chosen_products",
        lambda world, wanted, **options: [i for i in listed(world, wanted, **options) if i != 0],
    )
    assert summary(live.sync())["lines_without_product"] > 0
    monkeypatch.undo()

    assert summary(live.sync())["lines_without_product"] == 0
    assert_equals_the_ledger(live, Period.ending(live.today - timedelta(days=1), days=HISTORY), events=None)


@pytest.mark.slow
def test_the_cross_check_finds_what_differs(live: LiveShop, empty_redis: Redis) -> None:
    run = live.sync()
    found = run.result["crosscheck"]
    assert found["different"] == 0
    assert found["compared"] > 0
    assert found["ours"] == found["theirs"] > 0

    live.world.next_day()
    assert "crosscheck" not in live.sync().result, "asked a moment ago"

    SyncRun.objects.filter(source="crosscheck").update(started_at=real_now() - timedelta(minutes=2))
    empty_redis.flushdb()
    live.world.next_day()
    world = world_of(live)
    page = world.ledger.days[world.day - 1]
    world.ledger.days[world.day - 1] = replace(page, units=page.units + 1)
    found = live.sync().result["crosscheck"]
    assert found["different"] == len(found["examples"]) == 15
    assert found["theirs"] - found["ours"] == 15
    assert data_as_of(live.shop) is not None, "a difference stops nothing"


@pytest.mark.slow
def test_an_analytics_method_that_fails_stops_nothing(live: LiveShop) -> None:
    spoil(live, "/v1/analytics/data", Kind.TOO_MANY, times=None, retry_after=100)

    run = live.sync()

    assert "skipped" in run.result["crosscheck"]
    assert data_as_of(live.shop) == run.as_of
