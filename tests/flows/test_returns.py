"""Returns after delivery that leave a posting `delivered`: counted on the day they came back, and once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Sum
from pytest_django import Settings

from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller import returns as imitated
from apps.sales.models import DailyFact, Order, Return, TouchedDay
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

PATH = "/v1/returns/list"


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=25, history_days=40) as shop:
        yield shop


def spoil(live: LiveShop, kind: Kind, **options: Any) -> None:
    live.standins.of.frame.faults.add(Fault(f"ozon:{PATH}", kind, **options))


def left_delivered() -> list[Return]:
    """Returns whose posting says that it was delivered."""
    delivered = Order.objects.filter(status=Order.Status.DELIVERED).values("external_id")
    return list(Return.objects.filter(posting_number__in=delivered).order_by("pk"))


def returned_units() -> int:
    found = DailyFact.objects.aggregate(units=Sum("returned_units"))["units"]
    return found or 0


def test_each_counts_against_the_day_of_its_sale(live: LiveShop) -> None:
    live.sync()
    returns = left_delivered()
    assert returns
    of_orders = Order.objects.filter(status=Order.Status.RETURNED).aggregate(units=Sum("lines__quantity"))["units"]

    assert returned_units() == of_orders + sum(one.quantity for one in returns)


@pytest.mark.slow
def test_one_that_is_new_counts_on_its_own_day(live: LiveShop) -> None:
    live.sync()
    known = {one.pk for one in left_delivered()}
    for _ in range(5):
        live.next_morning()
        new = [one for one in left_delivered() if one.pk not in known]
        if new:
            break
    assert new

    for one in new:
        order = Order.objects.get(external_id=one.posting_number)
        product = order.lines.get(external_product_id=one.sku).product
        assert one.returned_on is not None
        fact = DailyFact.objects.get(product=product, day=one.returned_on)
        assert (fact.returns or 0) >= one.quantity
    assert not TouchedDay.objects.filter(day__lt=live.today).exists()


@pytest.mark.slow
def test_an_order_that_turns_cancelled_afterwards_is_not_counted_twice(live: LiveShop) -> None:
    live.sync()
    orders = {order.external_id: order for order in Order.objects.filter(status=Order.Status.DELIVERED)}
    one = max(left_delivered(), key=lambda one: orders[one.posting_number].placed_at)
    order = orders[one.posting_number]
    product = order.lines.get(external_product_id=one.sku).product
    sold = DailyFact.objects.get(product=product, day=order.placed_on)
    book = live.standins.of.world.book
    place = (int(one.external_id) - imitated.FIRST_ID) // imitated.LINES_A_POSTING
    book.postings["reason"][place] = 665  # from now on the list says: cancelled, back in the warehouse

    live.next_morning()

    assert Order.objects.get(pk=order.pk).status == Order.Status.RETURNED
    assert DailyFact.objects.get(pk=sold.pk).returned_units == sold.returned_units
    assert sold.returned_units >= one.quantity


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.REPEATED_CURSOR, Kind.TRUNCATED_JSON])
def test_a_list_that_is_not_read_to_its_end_feeds_no_facts(live: LiveShop, kind: Kind) -> None:
    spoil(live, kind, times=None)

    with pytest.raises(SyncIncomplete) as raised:
        live.sync()

    assert raised.value.source == "returns"
    assert not DailyFact.objects.exists()


@pytest.mark.slow
def test_short_pages_are_read_to_the_end(live: LiveShop) -> None:
    spoil(live, Kind.HALF_PAGE, times=1)
    live.sync()
    world = live.standins.of.world
    assert Return.objects.count() == len(list(imitated._rows(world, {}, after=0)))
