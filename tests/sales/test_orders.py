"""Parcels into orders, lines and the days whose facts they touch."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Product
from apps.common.periods import Period
from apps.sales import orders
from apps.sales.models import DailyFact, Order, OrderLine, SalesHistory, TouchedDay
from apps.sales.orders import Known, closing_day
from apps.sales.parcels import Line, Parcel
from apps.sales.rollup import rebuild
from apps.sales.totals import Totals, day_totals, totals
from apps.shops.models import Shop
from tests import cast
from tests.inventory.shelf import Shelf

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
THURSDAY = MONDAY + timedelta(days=3)


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


@pytest.fixture
def mug(shop: Shop) -> Product:
    return Product.objects.create(shop=shop, external_id="1", offer_id="MUG-1", sku=880, name="Mug", currency="RUB")


def parcel(
    *lines: tuple[int, int], product: Product | None, number: str = "1-1", status: str = "open", on: date = MONDAY
) -> Parcel:
    """`lines` are (quantity, price)."""
    return Parcel(
        external_id=number,
        order_number=number.partition("-")[0],
        channel="ozon_fbo",
        status=status,
        raw_status=status,
        placed_at=datetime.combine(on, time(9), UTC),
        placed_on=on,
        lines=tuple(
            Line(product.pk if product else None, "880", "Mug", Decimal(quantity), Decimal(price))
            for quantity, price in lines
        ),
    )


def store(shop: Shop, *parcels: Parcel, last_day: date = MONDAY) -> list[date]:
    """The days that are touched by it."""
    TouchedDay.objects.all().delete()
    orders.store(shop, parcels, last_day=last_day)
    return list(TouchedDay.objects.order_by("day").values_list("day", flat=True))


def lines() -> list[tuple[int, int]]:
    rows = OrderLine.objects.order_by("order", "position").values_list("quantity", "price")
    return [(int(quantity), int(price)) for quantity, price in rows]


def test_an_order_is_stored_with_its_lines(shop: Shop, mug: Product) -> None:
    assert store(shop, parcel((2, 100), (1, 50), product=mug)) == [MONDAY]

    order = Order.objects.get()
    assert (order.order_number, order.total, order.currency, order.closed_on) == ("1", 250, "RUB", None)
    assert lines() == [(2, 100), (1, 50)]


def test_the_same_parcel_again_touches_nothing(shop: Shop, mug: Product) -> None:
    store(shop, parcel((2, 100), product=mug))

    assert store(shop, parcel((2, 100), product=mug)) == []


def test_a_delivery_changes_the_order_and_no_fact(shop: Shop, mug: Product) -> None:
    store(shop, parcel((2, 100), product=mug))

    assert store(shop, parcel((2, 100), product=mug, status="delivered"), last_day=THURSDAY) == []
    assert Order.objects.get().status == Order.Status.DELIVERED


def test_a_line_that_is_gone_or_smaller_touches_the_day(shop: Shop, mug: Product) -> None:
    store(shop, parcel((2, 100), (1, 50), product=mug))

    assert store(shop, parcel((2, 100), product=mug)) == [MONDAY]
    assert lines() == [(2, 100)]
    assert store(shop, parcel((1, 100), product=mug)) == [MONDAY]
    assert lines() == [(1, 100)]


def test_a_cancellation_touches_its_own_day_and_that_of_the_order(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 100), product=mug))

    assert store(shop, parcel((1, 100), product=mug, status="cancelled"), last_day=WEDNESDAY) == [MONDAY, WEDNESDAY]
    assert Order.objects.get().closed_on == WEDNESDAY
    assert store(shop, parcel((1, 100), product=mug, status="cancelled"), last_day=THURSDAY) == []
    assert Order.objects.get().closed_on == WEDNESDAY, "the day it was first seen to be over"


def test_an_order_that_moves_touches_the_old_day_and_the_new(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 100), product=mug))

    assert store(shop, parcel((1, 100), product=mug, on=TUESDAY), last_day=TUESDAY) == [MONDAY, TUESDAY]


def test_a_cancellation_that_is_taken_back_has_no_day(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 100), product=mug))
    store(shop, parcel((1, 100), product=mug, status="cancelled"), last_day=TUESDAY)

    assert store(shop, parcel((1, 100), product=mug, status="delivered"), last_day=WEDNESDAY) == [MONDAY, TUESDAY]
    assert Order.objects.get().closed_on is None


def test_a_product_that_was_found_once_is_not_lost(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 100), product=mug))
    store(shop, parcel((1, 100), product=None))

    assert OrderLine.objects.get().product == mug


def test_two_shops_may_have_parcels_of_one_number(shop: Shop, mug: Product) -> None:
    boris = cast.boris().seller.shops.get()
    store(shop, parcel((1, 100), product=mug))
    store(boris, parcel((3, 70), product=None))

    assert Order.objects.count() == 2
    assert Order.objects.get(shop=shop).total == 100


@pytest.mark.parametrize(
    ("before", "placed_on", "expected"),
    [
        (None, MONDAY, None),
        (None, WEDNESDAY, WEDNESDAY),
        (None, THURSDAY, THURSDAY),
        (Known(1, "open", MONDAY, None, Decimal(1)), MONDAY, WEDNESDAY),
        (Known(1, "open", THURSDAY, None, Decimal(1)), THURSDAY, THURSDAY),
        (Known(1, "cancelled", MONDAY, TUESDAY, Decimal(1)), MONDAY, TUESDAY),
        (Known(1, "cancelled", MONDAY, None, Decimal(1)), MONDAY, None),
    ],
    ids=[
        "it had ended before it was first seen",
        "it began and ended on the last day",
        "it began and ended today",
        "it was seen to end",
        "it cannot end before it began",
        "it had ended before and keeps its day",
        "nobody ever knew the day",
    ],
)
def test_the_day_of_an_end(before: Known | None, placed_on: date, expected: date | None) -> None:
    ended = parcel((1, 100), product=None, status="returned", on=placed_on)

    assert closing_day(before, ended, WEDNESDAY) == expected


class TestFacts:
    def test_a_day_is_the_sum_of_its_lines(self, shop: Shop, mug: Product) -> None:
        SalesHistory.objects.create(shop=shop, sales_from=MONDAY, events_from=TUESDAY)
        store(shop, parcel((2, 100), (1, 50), product=mug), parcel((4, 10), product=mug, number="2-1"))
        store(shop, parcel((4, 10), product=mug, number="2-1", status="returned"), last_day=WEDNESDAY)

        rebuild(shop, [MONDAY, WEDNESDAY])

        monday, wednesday = DailyFact.objects.order_by("day")
        assert (monday.units, monday.revenue, monday.returned_units, monday.returned_revenue) == (7, 290, 4, 40)
        assert (monday.cancelled_units, monday.cancellations, monday.returns) == (0, None, None)
        assert (wednesday.units, wednesday.cancellations, wednesday.returns) == (0, 0, 4)
        assert monday.in_stock is None

    def test_only_days_that_changed_are_written(self, shop: Shop, mug: Product) -> None:
        store(shop, parcel((2, 100), product=mug))

        assert rebuild(shop, [MONDAY]) == 1
        assert rebuild(shop, [MONDAY]) == 0

    def test_a_fact_without_its_cause_disappears(self, shop: Shop, mug: Product) -> None:
        store(shop, parcel((2, 100), product=mug))
        rebuild(shop, [MONDAY])
        store(shop, parcel((2, 100), product=mug, on=TUESDAY), last_day=TUESDAY)

        rebuild(shop, [MONDAY, TUESDAY])

        assert [fact.day for fact in DailyFact.objects.all()] == [TUESDAY]

    def test_the_neighbour_s_facts_are_not_touched(self, shop: Shop, mug: Product) -> None:
        boris = Shelf(cast.boris().seller.shops.get())
        boris.sold(boris.product(), [5], last=MONDAY)

        rebuild(shop, [MONDAY])

        assert DailyFact.objects.get().units == 5

    @pytest.mark.parametrize(
        ("mornings", "in_stock"),
        [
            ((3, 2), True),
            ((3, 0), False),
            ((0, 2), False),
            ((3, None), None),
            ((0, None), False),
            ((None, 2), None),
            ((None, 0), False),
        ],
    )
    def test_a_day_is_in_stock_when_both_its_mornings_are(
        self, shop: Shop, mornings: tuple[int | None, int | None], in_stock: bool | None
    ) -> None:
        shelf = Shelf(shop)
        scarf = shelf.product()
        for day, present in zip((MONDAY, TUESDAY), mornings, strict=True):
            if present is not None:
                shelf.morning(scarf, present + 1, reserved=1, day=day)

        rebuild(shop, [MONDAY])

        assert DailyFact.objects.get(day=MONDAY).in_stock is in_stock


class TestTotals:
    def test_orders_are_counted_by_their_number(self, shop: Shop, mug: Product) -> None:
        SalesHistory.objects.create(shop=shop, sales_from=MONDAY, events_from=TUESDAY)
        Shelf(shop).synced(datetime.combine(WEDNESDAY, time(6), UTC))
        store(
            shop,
            parcel((1, 100), product=mug, number="7-1"),
            parcel((1, 100), product=mug, number="7-2"),
            parcel((2, 10), product=mug, number="8-1", on=TUESDAY),
        )
        rebuild(shop, [MONDAY, TUESDAY])

        days = day_totals(shop, Period(MONDAY - timedelta(days=1), WEDNESDAY))

        assert list(days) == [MONDAY, TUESDAY], "neither before the history nor a day that has not ended"
        assert days[MONDAY] == Totals(orders=1, units=2, revenue=Decimal(200))
        assert days[TUESDAY] == Totals(orders=1, units=2, revenue=Decimal(20), cancellations=0, returns=0)
        assert totals(shop, Period(MONDAY, TUESDAY)) == Totals(orders=2, units=4, revenue=Decimal(220))

    def test_a_period_that_is_not_wholly_known_has_no_totals(self, shop: Shop) -> None:
        Shelf(shop).synced(datetime.combine(WEDNESDAY, time(6), UTC), since=MONDAY)

        assert totals(shop, Period(MONDAY, TUESDAY)) == Totals(cancellations=0, returns=0)
        assert totals(shop, Period(MONDAY, WEDNESDAY)) is None
        assert totals(shop, Period(MONDAY - timedelta(days=1), TUESDAY)) is None
        assert totals(cast.boris().seller.shops.get(), Period(MONDAY, TUESDAY)) is None
