from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.product_settings import set_settings
from apps.catalog.sheet_words import Field
from apps.inventory.cover import Cover, load_cover
from apps.shops.models import Shop
from tests import cast
from tests.inventory.shelf import MORNING, TODAY, Shelf, queries_counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


@pytest.fixture
def shelf(shop: Shop) -> Shelf:
    return Shelf(shop)


def covers(shop: Shop) -> list[Cover]:
    found = load_cover(shop)
    assert found is not None
    return list(found.covers)


def test_a_shop_that_was_never_synced_has_no_cover(shelf: Shelf, shop: Shop) -> None:
    shelf.morning(shelf.product(), 10)
    assert load_cover(shop) is None


def test_the_stock_lasts_its_units_over_the_rate(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 56)
    shelf.morning(scarf, 90)
    shelf.synced()
    (cover,) = covers(shop)
    assert cover.stock == 90
    assert cover.rate == pytest.approx(2.0)
    assert cover.days == pytest.approx(45.0)
    assert not cover.is_low


def test_what_is_reserved_is_sold_already(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 56)
    shelf.morning(scarf, 12, reserved=12)
    shelf.synced()
    (cover,) = covers(shop)
    assert cover.stock == 0
    assert cover.is_out


def test_low_stock_says_how_many_to_order(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 56)
    shelf.morning(scarf, 10)
    shelf.synced()
    (cover,) = covers(shop)
    assert cover.point is not None
    assert cover.point > 30  # more than the mean of 15 days
    assert cover.order == cover.point + 42 - 10
    assert cover.is_low
    assert not cover.is_out


def test_a_product_is_ordered_as_its_own_settings_say(shelf: Shelf, shop: Shop) -> None:
    plain, far, packed = shelf.product("Plain"), shelf.product("Far"), shelf.product("Packed")
    for product in (plain, far, packed):
        shelf.sold(product, [2] * 56)
        shelf.morning(product, 10)
    set_settings(product=far, values={Field.LEAD_DAYS: Decimal(60)}, by=None)
    set_settings(product=packed, values={Field.PACK_SIZE: Decimal(50), Field.MIN_ORDER: Decimal(120)}, by=None)
    shelf.synced()
    found = {cover.product.name: cover for cover in covers(shop)}
    assert (found["Far"].point or 0) > 60 * 2 > (found["Plain"].point or 0)
    assert found["Packed"].point == found["Plain"].point
    assert found["Packed"].order == 150


def test_days_out_of_stock_do_not_slow_the_rate(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 28 + [None] * 28)
    shelf.morning(scarf, 10)
    shelf.synced()
    assert covers(shop)[0].rate == pytest.approx(2.0)


def test_days_before_the_history_are_not_days_without_sales(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 10)
    shelf.morning(scarf, 10)
    shelf.synced(since=TODAY - timedelta(days=10))
    assert covers(shop)[0].rate == pytest.approx(2.0)


def test_unknown_stock_is_not_an_empty_shelf(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [2] * 56)
    shelf.synced()
    found = load_cover(shop)
    assert found is not None
    assert found.low == ()
    assert [cover.product for cover in found.unknown] == [scarf]
    assert (found.covers[0].stock, found.covers[0].days) == (None, None)


def test_a_product_never_in_stock_is_unknown_too(shelf: Shelf, shop: Shop) -> None:
    scarf = shelf.product()
    shelf.sold(scarf, [None] * 56)
    shelf.morning(scarf, 5)
    shelf.synced(since=TODAY - timedelta(days=56))
    found = load_cover(shop)
    assert found is not None
    assert [cover.product for cover in found.unknown] == [scarf]


def test_a_costly_loss_is_guarded_against_earlier(shelf: Shelf, shop: Shop) -> None:
    thin, fat = shelf.product("Thin", price="650"), shelf.product("Fat", price="3000")
    for product in (thin, fat):
        shelf.sold(product, [2] * 56)
        shelf.morning(product, 10)
    shelf.synced()
    points = {cover.product.name: cover.point for cover in covers(shop)}
    assert points["Thin"] is not None
    assert points["Fat"] is not None
    assert points["Thin"] < points["Fat"]


def test_the_most_urgent_comes_first(shelf: Shelf, shop: Shop) -> None:
    for name, stock in (("plenty", 900), ("some", 10), ("none", 0), ("few", 4)):
        product = shelf.product(name)
        shelf.sold(product, [2] * 56)
        shelf.morning(product, stock)
    shelf.synced()
    assert [cover.product.name for cover in covers(shop)] == ["none", "few", "some", "plenty"]


def test_other_shops_and_archived_products_are_left_out(shelf: Shelf, shop: Shop) -> None:
    other = Shelf(cast.boris().seller.shops.get())
    for one in (shelf, other):
        product = one.product()
        one.sold(product, [2] * 56)
        one.morning(product, 1)
    gone = shelf.product("Gone", is_archived=True)
    shelf.sold(gone, [2] * 56)
    shelf.morning(gone, 1)
    shelf.synced()
    assert [cover.product.shop for cover in covers(shop)] == [shop]


def test_more_products_need_no_more_queries(shelf: Shelf, shop: Shop) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            product = shelf.product()
            shelf.sold(product, [1] * 30)
            shelf.morning(product, 10)
            set_settings(product=product, values={Field.PACK_SIZE: Decimal(6)}, by=None)
        shelf.synced(MORNING)
        with queries_counted() as queries:
            load_cover(shop)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
