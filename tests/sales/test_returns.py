"""Returns that leave their posting delivered: no more of it comes back than was sold, and the rest is told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from apps.catalog.models import Product
from apps.jobs.models import JobRun
from apps.marketplaces.ozon_seller.returns import Return as Told
from apps.sales import returns
from apps.sales.models import DailyFact, Order, Return, SalesHistory, TouchedDay
from apps.sales.returns import beyond_sales
from apps.sales.rollup import rebuild
from apps.sales.shop_sync import summary
from apps.shops.models import Shop
from tests import cast
from tests.sales.test_orders import parcel, store

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)
FRIDAY, SATURDAY, SUNDAY = (MONDAY + timedelta(days=days) for days in (4, 5, 6))


@pytest.fixture
def shop() -> Shop:
    made = cast.anna().seller.shops.get()
    SalesHistory.objects.create(shop=made, sales_from=MONDAY, events_from=MONDAY)
    return made


@pytest.fixture
def mug(shop: Shop) -> Product:
    return Product.objects.create(shop=shop, external_id="1", offer_id="MUG-1", sku=880, name="Mug", currency="RUB")


def came_back(shop: Shop, quantity: int, *, on: date | None, number: str = "1-1", sku: str = "880") -> Return:
    return Return.objects.create(
        shop=shop,
        external_id=f"{Return.objects.count() + 1}",
        posting_number=number,
        sku=sku,
        quantity=quantity,
        returned_on=on,
    )


def facts(mug: Product, *days: date) -> list[tuple[int, int, int, int | None]]:
    """(units, returned units, revenue returned, units that came back) of each day, all of them rebuilt at once."""
    rebuild(mug.shop, days)
    rows = {row.day: row for row in DailyFact.objects.filter(product=mug)}
    found = [rows.get(day, DailyFact()) for day in days]
    return [(row.units, row.returned_units, int(row.returned_revenue), row.returns) for row in found]


def test_what_came_back_counts_on_the_day_of_its_sale_and_on_its_own(shop: Shop, mug: Product) -> None:
    store(shop, parcel((3, 500), product=mug, status="delivered"))
    came_back(shop, 2, on=FRIDAY)
    assert facts(mug, MONDAY, FRIDAY) == [(3, 2, 1000, 0), (0, 0, 0, 2)]
    assert beyond_sales(shop) == {}


def test_no_more_comes_back_than_was_sold(shop: Shop, mug: Product) -> None:
    store(shop, parcel((3, 500), product=mug, status="delivered"))
    came_back(shop, 5, on=FRIDAY)
    assert facts(mug, MONDAY, FRIDAY) == [(3, 3, 1500, 0), (0, 0, 0, 3)]
    assert beyond_sales(shop) == {"units": 2, "examples": {"1-1": 2}}


def test_several_returns_share_what_was_sold_in_the_order_of_their_days(shop: Shop, mug: Product) -> None:
    store(shop, parcel((3, 500), product=mug, status="delivered"))
    came_back(shop, 2, on=SATURDAY)
    came_back(shop, 2, on=FRIDAY)
    came_back(shop, 2, on=SUNDAY)
    assert facts(mug, MONDAY, FRIDAY, SATURDAY, SUNDAY) == [(3, 3, 1500, 0), (0, 0, 0, 2), (0, 0, 0, 1), (0, 0, 0, 0)]
    assert beyond_sales(shop)["units"] == 3


@pytest.mark.parametrize(("day", "returned"), [(FRIDAY, 2), (SATURDAY, 1), (SUNDAY, 0)])
def test_a_day_rebuilt_alone_says_the_same(shop: Shop, mug: Product, day: date, returned: int) -> None:
    store(shop, parcel((3, 500), product=mug, status="delivered"))
    for on in (SATURDAY, FRIDAY, SUNDAY):
        came_back(shop, 2, on=on)
    assert facts(mug, day) == [(0, 0, 0, returned)]


def test_two_lines_of_a_product_are_one_supply(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 500), (2, 400), product=mug, status="delivered"))
    came_back(shop, 4, on=FRIDAY)
    assert facts(mug, MONDAY)[0][:2] == (3, 3)
    assert beyond_sales(shop)["units"] == 1


def test_what_has_not_come_back_yet_takes_no_share(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 500), product=mug, status="delivered"))
    came_back(shop, 1, on=None)
    came_back(shop, 1, on=FRIDAY)
    assert facts(mug, FRIDAY) == [(0, 0, 0, 1)]
    assert beyond_sales(shop) == {}


def test_a_posting_that_says_itself_that_it_came_back_is_not_told_twice(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 500), product=mug, status="returned"))
    came_back(shop, 5, on=FRIDAY)
    assert facts(mug, MONDAY)[0][:2] == (1, 1)
    assert beyond_sales(shop) == {}


def test_postings_and_shops_are_kept_apart(shop: Shop, mug: Product) -> None:
    store(shop, *(parcel((1, 500), product=mug, number=number, status="delivered") for number in ("1-1", "2-1")))
    came_back(shop, 1, on=FRIDAY)
    came_back(shop, 1, on=FRIDAY, number="2-1")
    came_back(cast.boris().seller.shops.get(), 9, on=FRIDAY)
    assert facts(mug, FRIDAY) == [(0, 0, 0, 2)]
    assert beyond_sales(shop) == {}


def test_the_run_says_what_it_left_out(shop: Shop, mug: Product) -> None:
    store(shop, parcel((1, 500), product=mug, status="delivered"))
    came_back(shop, 3, on=FRIDAY)
    told = summary(JobRun(pk=1, shop=shop, job="ozon_sync", slot="2026-03-02"))
    assert told["returned_beyond_sales"] == {"units": 2, "examples": {"1-1": 2}}


def test_a_return_that_comes_late_has_the_days_of_its_posting_rebuilt(shop: Shop, mug: Product) -> None:
    """One of an earlier day takes its share before those that were known."""
    store(shop, parcel((1, 500), product=mug, status="delivered"))
    came_back(shop, 1, on=SATURDAY)
    assert facts(mug, SATURDAY) == [(0, 0, 0, 1)]
    TouchedDay.objects.all().delete()
    late = Told.model_validate(
        {
            "id": 77,
            "posting_number": "1-1",
            "type": "ClientReturn",
            "product": {"sku": 880, "quantity": 1},
            "logistic": {"return_date": f"{FRIDAY}T09:00:00Z"},
        }
    )
    returns._store(shop, [late])
    days = set(TouchedDay.objects.values_list("day", flat=True))
    assert days == {MONDAY, FRIDAY, SATURDAY}
    assert facts(mug, *sorted(days)) == [(1, 1, 500, 0), (0, 0, 0, 1), (0, 0, 0, 0)]
    assert Order.objects.count() == 1
