"""The first load of a shop in KeyCRM, lists that do not tell the whole, and what differs from the source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from pytest_django import Settings

from apps.backoffice.demo.crm_checks import compare_orders, night_before
from apps.catalog.models import PriceChange, Product
from apps.common.periods import day_of
from apps.jobs.models import SyncRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.sales.models import MissingOrder, Order, Source
from apps.shops.clients import keycrm
from tests.flows.crm import CrmLife, crm_life

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def life(settings: Settings) -> Iterator[CrmLife]:
    with crm_life(settings) as life:
        yield life


def test_a_product_without_variants_is_stored_like_one_with_a_single_variant(life: CrmLife) -> None:
    goods = life.crm.goods
    all_offers, alone = goods.offers, next(offer for offer in goods.offers if offer.size is None)
    goods.offers = tuple(offer for offer in all_offers if offer != alone)
    life.sync()
    product = Product.objects.get(shop=life.shop, external_id=f"product-{alone.product_id}")
    assert (product.offer_id, product.family, product.price) == (alone.sku, str(alone.product_id), alone.price)
    assert product.brand
    assert product.brand.name == goods.brand(alone.product_id)
    assert PriceChange.objects.filter(product=product).count() == 1
    assert Product.objects.filter(shop=life.shop).count() == len(all_offers)
    line = {"name": "Bag", "sku": alone.sku, "quantity": 1, "price_sold": 10, "offer": None}
    order_id = life.crm.place(products=[line])
    life.sync()
    assert life.order(order_id).lines.get().product == product

    goods.offers = all_offers
    life.crm.clock.next_day()
    life.sync()
    product.refresh_from_db()
    variant = Product.objects.get(shop=life.shop, external_id=str(alone.offer_id))
    assert (product.is_archived, variant.is_archived) == (True, goods.product(alone.product_id)["is_archived"])


def test_a_sync_in_many_slices_is_one_in_a_single_slice(life: CrmLife) -> None:
    life.run(seconds=0)
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id
    run = SyncRun.objects.get(shop=life.shop, source="orders")
    assert (run.state, run.received, run.announced) == ("complete", life.crm.last_id, life.crm.last_id)


@pytest.mark.slow
def test_a_number_that_is_missing_is_asked_for_and_a_true_gap_is_remembered(life: CrmLife) -> None:
    life.crm.delete(100)
    life.sync()
    Order.objects.filter(shop=life.shop, external_id="120").delete()
    life.night()
    assert life.order(120).lines.exists()
    assert MissingOrder.objects.get(shop=life.shop).external_id == 100
    requests.delete(f"{life.standins.url}/_calls", timeout=60)
    life.night()
    calls = requests.get(f"{life.standins.url}/_calls", params={"route": "keycrm:/order/{id}"}, timeout=60).json()
    assert calls == [], "it is not asked for again before its day"


@pytest.mark.parametrize("kind", ["half_page", "repeated_cursor"])
def test_a_list_that_is_not_whole_is_not_believed(life: CrmLife, kind: str) -> None:
    script = {"route": "keycrm:/order", "kind": kind, "times": 1, "after_calls": 5}
    requests.post(f"{life.standins.url}/_faults", json=script, timeout=60)
    with pytest.raises(SyncIncomplete):
        life.sync()
    assert not SyncRun.objects.filter(shop=life.shop, source="orders", state="complete").exists()
    life.sync()
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id


@pytest.mark.slow
def test_a_night_that_is_told_of_no_orders_removes_none_that_are_there(life: CrmLife) -> None:
    life.sync()
    script = {"route": "keycrm:/order", "kind": "empty_200", "times": None}
    requests.post(f"{life.standins.url}/_faults", json=script, timeout=60)
    life.night()
    assert Order.objects.filter(shop=life.shop).count() == life.crm.last_id


def test_the_demo_finds_what_differs_from_the_crm(life: CrmLife) -> None:
    life.sync()
    same = compare_orders(keycrm(life.shop), life.shop)
    assert (same.orders, same.wrong) == (life.crm.last_id, ())
    order_id = life.crm.last_id - 10
    life.crm.edit(order_id, status_id=19, status_changed_at=life.now)
    (wrong,) = compare_orders(keycrm(life.shop), life.shop).wrong
    assert wrong.startswith(f"order {order_id}: ")
    life.night()
    assert compare_orders(keycrm(life.shop), life.shop).wrong == ()
    night = night_before(life.shop, day_of(life.now, "Europe/Kyiv"))
    assert (night.days, night.differing, night.set_right) == (30, (), 1)


def test_roles_of_sources_stay_as_people_said(life: CrmLife) -> None:
    Source.objects.filter(shop=life.shop, external_id=1).update(role=Source.Role.HISTORY)
    life.sync()
    source = Source.objects.get(shop=life.shop, external_id=1)
    assert (source.name, source.role, source.currency) == ("Instagram", "history", "UAH")
