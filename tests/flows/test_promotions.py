"""Promotions from the marketplace to the card: what the sync knows of them, and what it makes of a price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from pytest_django import Settings

from apps.catalog.models import Participation, Product, Promotion
from apps.decisions.models import Proposal
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.promotions import Member
from apps.marketplaces.standins.world import NewPrice, World
from apps.pricing.kinds import SetPrice, draft_of, warnings_of
from tests.flows.shop import LiveShop, live_shop

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]

KIND = SetPrice()
LIST, PRODUCTS = "/v1/actions", "/v2/actions/products"


@pytest.fixture
def live(settings: Settings, empty_redis: object) -> Iterator[LiveShop]:
    with live_shop(settings, skus=40, history_days=10) as shop:
        yield shop


def world_of(live: LiveShop) -> World:
    return live.standins.of.world


def spoil(live: LiveShop, path: str, kind: Kind, **options: int | None) -> None:
    live.standins.of.frame.faults.add(Fault(f"ozon:{path}", kind, **options))  # type: ignore[arg-type]


def members(live: LiveShop, *, frozen: bool = False) -> list[Member]:
    promotions = world_of(live).promotions
    return [one for offer in promotions.offers if offer.freezes is frozen for one in promotions.members(offer.number)]


def product_of(live: LiveShop, member: Member) -> Product:
    return Product.objects.get(external_id=str(world_of(live).catalog.product_id[member.product]))


def assert_equals_the_world(live: LiveShop) -> None:
    world = world_of(live)
    ours = {
        (part.promotion.external_id, part.product.sku, part.action_price, part.max_action_price)
        for part in Participation.objects.select_related("promotion", "product")
    }
    assert ours == {
        (
            str(offer.number),
            int(world.catalog.sku[member.product]),
            Decimal(member.terms.action_price) / 100,
            Decimal(member.terms.max_price) / 100,
        )
        for offer in world.promotions.offers
        for member in world.promotions.members(offer.number)
    }
    assert set(Promotion.objects.values_list("title", flat=True)) == {offer.title for offer in world.promotions.offers}


def fourteen_days(live: LiveShop) -> None:
    for _ in range(13):
        live.world.next_day()
    live.next_morning()


@pytest.mark.slow
def test_who_takes_part_in_what_is_known_every_morning(live: LiveShop) -> None:
    live.sync()
    assert_equals_the_world(live)
    assert Promotion.objects.get(ends_at=None).participants == 0
    assert not Promotion.objects.exclude(frozen_at=None).exists()

    for _ in range(2):
        fourteen_days(live)
        assert_equals_the_world(live)


@pytest.mark.slow
def test_a_product_that_dropped_out_is_in_it_no_longer(live: LiveShop) -> None:
    live.sync()
    member = members(live)[0]
    product = product_of(live, member)
    assert product.participations.exists()

    world_of(live).write_price(NewPrice(member.product, member.terms.max_price + 1000))
    live.next_morning()

    assert not product.participations.exists()
    assert_equals_the_world(live)


@pytest.mark.slow
@pytest.mark.parametrize("path", [LIST, PRODUCTS])
def test_an_empty_answer_is_not_believed(live: LiveShop, path: str) -> None:
    live.sync()
    before = Participation.objects.count()
    live.world.next_day()
    spoil(live, path, Kind.EMPTY_200, times=None)

    with pytest.raises(SyncIncomplete):
        live.sync()

    assert Participation.objects.count() == before > 0


@pytest.mark.slow
@pytest.mark.parametrize("path", [LIST, PRODUCTS])
def test_beside_a_row_that_cannot_be_read_nothing_is_removed(live: LiveShop, path: str) -> None:
    live.sync()
    before = set(Participation.objects.values_list("pk", flat=True))
    live.world.next_day()
    spoil(live, path, Kind.ODD_ROW, times=None)

    live.sync()

    assert set(Participation.objects.values_list("pk", flat=True)) == before


@pytest.mark.slow
def test_a_raise_is_refused_while_the_promotion_is_frozen_and_the_words_name_it(live: LiveShop) -> None:
    live.sync()
    live.enter_costs()
    fourteen_days(live)
    product = product_of(live, members(live, frozen=True)[0])
    payload = draft_of(product, (product.price or Decimal(0)) + 10)
    made = Proposal(shop=live.shop, kind=KIND.key, target=KIND.target(payload), payload=payload.model_dump(mode="json"))

    found = KIND.check(made, payload, now=live.now).objection

    assert found is not None
    assert found.code == "promotion_frozen"
    assert "“Распродажа месяца”" in KIND.say(found.code, found.figures, currency="RUB")


@pytest.mark.slow
def test_the_card_warns_of_what_a_price_does_in_the_promotion(live: LiveShop) -> None:
    live.sync()
    product = product_of(live, members(live)[0])
    assert product.price is not None

    Product.objects.update(min_price_until=None)  # which the card would speak of too
    (dropped,) = warnings_of(live.shop, draft_of(product, product.price * 2), now=live.now)
    (held,) = warnings_of(live.shop, draft_of(product, product.price), now=live.now)

    assert "drops out of the promotion “Максимальный бустинг”" in dropped
    assert "buyers pay" in held
    outside = Product.objects.exclude(participations__isnull=False).exclude(price=None).first()
    assert outside is not None
    assert warnings_of(live.shop, draft_of(outside, outside.price or Decimal(0)), now=live.now) == []
