"""What is stored of an OZON shop that was synced once, held against the world behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from apps.catalog.models import Product, Warehouse
from apps.common.periods import Period
from apps.jobs.models import SyncRun
from apps.marketplaces.standins.ozon_seller import posting_rows
from apps.marketplaces.standins.world import World
from apps.sales.models import Order, OrderLine, Source
from apps.sales.panel import panel
from tests.flows.shop import LiveShop, live_shop
from tests.flows.truth import rows_of, truth

pytestmark = [pytest.mark.flow, pytest.mark.django_db]

HISTORY = 15  # days of the small world


@pytest.fixture(scope="module")
def _synced(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveShop]:
    """Once for all tests of this file, which only read."""
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        override_settings(),
        live_shop(cast(Settings, settings), skus=15, history_days=HISTORY) as live,
    ):
        live.sync()
        yield live
        transaction.set_rollback(True)


@pytest.fixture
def live(_synced: LiveShop, db: None) -> LiveShop:
    return _synced


def world_of(live: LiveShop) -> World:
    return live.standins.of.world


def test_the_panel_holds_units_net_of_cancellations(live: LiveShop) -> None:
    last = live.today - timedelta(days=1)
    seen = panel(live.shop, last - timedelta(days=59), last)

    assert seen.days[-1] == last
    assert seen.known_days.all()
    ordered = truth(live, ("units", "cancelled_units", "returned_units"), Period.ending(last, days=HISTORY))
    for sku, row in zip(world_of(live).catalog.sku.tolist(), rows_of(live, seen), strict=True):
        expected = [ordered.get((sku, day), (0, 0, 0)) for day in Period.ending(last, days=HISTORY)]
        assert seen.units[row, -HISTORY:].tolist() == [units - cancelled for units, cancelled, _ in expected]
        assert seen.returned[row, -HISTORY:].tolist() == [returned for _, _, returned in expected]
    assert not panel(live.shop, live.today, live.today).known_days.any(), "today has not ended"


def test_every_order_comes_from_the_one_source_that_a_marketplace_is(live: LiveShop) -> None:
    source = Source.objects.get(shop=live.shop)
    assert (source.external_id, source.name, source.role) == (1000 + live.shop.pk, "OZON", "sales")
    assert not Order.objects.filter(shop=live.shop).exclude(source=source, sales_type="retail").exists()


def test_fees_are_fractions_and_logistics_are_per_unit(live: LiveShop) -> None:
    demand, catalog = world_of(live).demand, world_of(live).catalog
    for place, sku in enumerate(catalog.sku.tolist()):
        product = Product.objects.get(sku=sku)
        assert product.fbo_commission_rate == product.fbs_commission_rate == Decimal(str(demand.commission[place]))
        assert product.acquiring == Decimal(str(demand.acquiring[place]))
        whole = Decimal(str(round(demand.logistics[place] - demand.acquiring[place], 2)))
        assert product.fbo_logistics == product.fbs_logistics == whole
        assert (product.currency, product.vat_rate) == ("RUB", 0)
        assert product.brand is not None
        assert product.category is not None
        assert product.category.parent is not None


def test_orders_keep_their_number_and_their_channel(live: LiveShop) -> None:
    assert set(Order.objects.values_list("channel", flat=True)) == {"ozon_fbo", "ozon_fbs"}
    numbers = Order.objects.values("order_number").distinct().count()
    assert numbers < Order.objects.count(), "some orders travel in two parcels"
    assert {order.external_id.rpartition("-")[0] == order.order_number for order in Order.objects.all()} == {True}
    assert not OrderLine.objects.filter(product=None).exists()
    assert not Order.objects.exclude(lines__isnull=False).exists()
    assert Warehouse.objects.filter(scheme="fbo").exclude(name="").exists()


def test_nothing_about_the_buyer_is_stored(live: LiveShop) -> None:
    kept = [*Order.objects.values(), *OrderLine.objects.values(), *SyncRun.objects.values()]
    assert not any(str(value) in str(kept) for value in posting_rows.BUYER.values())
