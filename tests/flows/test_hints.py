"""Following a hint: what was pushed is read by the API, and only what the API says is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from apps.catalog.models import PriceChange, Product
from apps.jobs.hints import hint
from apps.jobs.models import Hint, JobRun
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.world import NewPrice
from apps.sales import hints
from apps.sales.models import Order, TouchedDay
from apps.shops.models import Credential
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=15, history_days=15) as shop:
        shop.sync()
        yield shop


def follow(live: LiveShop) -> int:
    return hints.follow(now=live.now)


def moved(live: LiveShop) -> list[Order]:
    """Orders that the next day moves on, as they were stored before it."""
    before = {order.pk: order for order in Order.objects.filter(status=Order.Status.OPEN)}
    live.world.next_day()
    return list(before.values())


@pytest.mark.parametrize("channel", ["ozon_fbo", pytest.param("ozon_fbs", marks=pytest.mark.slow)])
def test_a_posting_is_read_again_and_the_others_are_not(live: LiveShop, channel: str) -> None:
    mine = [order for order in moved(live) if order.channel == channel]
    for order in mine:
        hint(shop=live.shop, topic=Hint.Topic.POSTING, subjects=[order.external_id])
    numbers = {order.order_number for order in mine}
    others = Order.objects.exclude(channel=channel).exclude(order_number__in=numbers).order_by("pk")
    rest = list(others.values())

    assert follow(live) == len(mine) > 0

    raw = dict(Order.objects.values_list("pk", "raw_status"))
    assert any(raw[order.pk] != order.raw_status for order in mine)
    assert list(others.values()) == rest
    assert not Hint.objects.exists()


@pytest.mark.slow
def test_what_ends_between_two_syncs_has_ended_on_the_day_it_was_seen(live: LiveShop) -> None:
    orders = moved(live)
    for order in orders:
        hint(shop=live.shop, topic=Hint.Topic.POSTING, subjects=[order.external_id])
    follow(live)

    ended = Order.objects.filter(pk__in=[order.pk for order in orders], status__in=["cancelled", "returned"])
    assert ended
    assert {order.closed_on for order in ended} == {live.today}
    assert TouchedDay.objects.filter(day=live.today).exists()


@pytest.mark.slow
def test_a_price_is_read_again_with_its_history(live: LiveShop) -> None:
    world = live.standins.of.world
    product = Product.objects.get(sku=int(world.catalog.sku[0]))
    world.write_price(NewPrice(0, int(world.price[0]) + 7_00))
    hint(shop=live.shop, topic=Hint.Topic.PRODUCT, subjects=[product.external_id])

    assert follow(live) == 1

    change = PriceChange.objects.get(product=product, source=PriceChange.Source.MARKETPLACE)
    assert (change.price_from, change.price_to) == (product.price, (product.price or Decimal(0)) + 7)
    product.refresh_from_db()
    assert product.price == change.price_to


@pytest.mark.slow
def test_a_posting_that_is_not_ours_changes_nothing(live: LiveShop) -> None:
    before = Order.objects.count()
    hint(shop=live.shop, topic=Hint.Topic.POSTING, subjects=["99999999-0001-1"])

    assert follow(live) == 1

    assert Order.objects.count() == before


@pytest.mark.slow
def test_hints_wait_while_the_marketplace_does_not_answer_and_while_a_sync_runs(live: LiveShop) -> None:
    hint(shop=live.shop, topic=Hint.Topic.PRODUCT, subjects=["1"])
    live.standins.of.frame.faults.add(Fault("ozon:/v5/product/info/prices", Kind.REVOKED_KEY))
    assert (follow(live), Hint.objects.count()) == (0, 1)

    Credential.objects.update(is_refused=False)
    run = JobRun.objects.latest("pk")
    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.RUNNING)
    assert (follow(live), Hint.objects.count()) == (0, 1)

    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.DONE)
    assert (follow(live), Hint.objects.count()) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("topic", [Hint.Topic.POSTING, Hint.Topic.PRODUCT])
def test_what_was_read_before_a_sync_is_not_written_over_what_the_sync_has_read(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch, topic: Hint.Topic
) -> None:
    """The answer of the marketplace is on its way, and old, while the whole shop is read once more."""
    of_topic: dict[Hint.Topic, type[Order | Product]] = {Hint.Topic.POSTING: Order, Hint.Topic.PRODUCT: Product}
    hint(shop=live.shop, topic=topic, subjects=[of_topic[topic].objects.earliest("pk").external_id])
    read = hints._rows

    def read_and_be_overtaken(pages: Any) -> Any:
        rows = read(pages)
        monkeypatch.setattr(hints, "_rows", read)
        live.next_morning()
        return rows

    monkeypatch.setattr(hints, "_rows", read_and_be_overtaken)
    assert follow(live) == 0
    assert Hint.objects.count() == 1
    assert follow(live) == 1


def test_a_price_that_a_command_has_changed_meanwhile_is_known_better(live: LiveShop) -> None:
    product = Product.objects.exclude(price=None).earliest("pk")
    before = live.now
    price = (product.price or Decimal(0)) + 50
    Product.objects.filter(pk=product.pk).update(price=price)
    PriceChange.objects.create(
        product=product, seen_at=before + timedelta(seconds=1), seen_on=live.today, price_from=product.price,
        price_to=price, currency="RUB", source=PriceChange.Source.VITRINA, command_id=1,
    )  # fmt: skip
    hint(shop=live.shop, topic=Hint.Topic.PRODUCT, subjects=[product.external_id])

    assert hints.follow(now=before) == 1

    product.refresh_from_db()
    assert product.price == price
