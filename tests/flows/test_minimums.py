"""Until when minimum prices are in force: read every morning, and told before they end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from apps.catalog.minimums import ending_minimums
from apps.catalog.models import Product
from apps.marketplaces.standins.faults import Fault, Kind
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=30, history_days=5) as shop:
        yield shop


def assert_equals_the_world(live: LiveShop) -> None:
    world = live.standins.of.world
    ends = dict(zip(world.catalog.sku.tolist(), world.minimum_ends.tolist(), strict=True))
    for product in Product.objects.all():
        left = ends[product.sku] - world.day
        until = product.min_price_until
        assert (None if until is None else (until.astimezone(world.zone).date() - live.today).days) == (
            left if left > 0 else None
        )


@pytest.mark.slow
def test_each_timer_is_known_and_one_that_ran_out_is_gone(live: LiveShop) -> None:
    live.sync()
    assert_equals_the_world(live)
    running = Product.objects.exclude(min_price_until=None).count()
    assert 0 < running == Product.objects.exclude(min_price=None).count()

    for _ in range(10):
        live.world.next_day()
    live.next_morning()

    assert_equals_the_world(live)
    assert 0 < Product.objects.exclude(min_price_until=None).count() < running


def test_those_that_end_within_days_are_counted(live: LiveShop) -> None:
    live.sync()
    soon = Product.objects.filter(min_price_until__range=(live.now, live.now + timedelta(days=5))).order_by(
        "min_price_until"
    )

    found = ending_minimums(live.shop, live.now)

    assert found is not None
    assert (found.count, found.first_at) == (soon.count(), soon[0].min_price_until)
    assert ending_minimums(live.shop, live.now + timedelta(days=60)) is None


@pytest.mark.slow
def test_an_empty_answer_forgets_nothing(live: LiveShop) -> None:
    live.sync()
    before = dict(Product.objects.values_list("pk", "min_price_until"))
    live.world.next_day()
    live.standins.of.frame.faults.add(Fault("ozon:/v1/product/action/timer/status", Kind.EMPTY_200, times=None))

    live.sync()

    assert dict(Product.objects.values_list("pk", "min_price_until")) == before
