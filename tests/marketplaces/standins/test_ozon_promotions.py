"""Promotions of the imitated OZON: who is in them, who drops out, and which prices they forbid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.marketplaces.standins.promotions import Member
from apps.marketplaces.standins.registry import Shop
from tests.marketplaces.standins.seller import Seller, open_shops

pytestmark = pytest.mark.flow

CLARA = Shop("100003", "key-of-clara", seed=5, skus=60, history_days=3)


@pytest.fixture
def clara() -> Iterator[Seller]:
    with open_shops(CLARA) as (seller,):
        yield seller


def members(clara: Seller, *, frozen: bool = False) -> list[Member]:
    promotions = clara.world.promotions
    return [one for offer in promotions.offers if offer.freezes is frozen for one in promotions.members(offer.number)]


def roubles(kopecks: int) -> str:
    return f"{kopecks / 100:.2f}"


def test_a_price_above_the_highest_in_the_promotion_drops_the_product_out(clara: Seller) -> None:
    member, *others = members(clara)
    clara.set_price(member.product, roubles(member.terms.max_price))
    assert member in members(clara)

    clara.set_price(member.product, roubles(member.terms.max_price + 1000))

    assert members(clara) == others


def test_a_price_below_that_of_the_promotion_is_the_price_there_too(clara: Seller) -> None:
    member = members(clara)[0]
    lower = member.terms.action_price - 10_00

    clara.set_price(member.product, roubles(lower))

    assert members(clara)[0].terms.action_price == lower


def test_while_a_promotion_is_frozen_its_prices_go_down_and_not_up(clara: Seller) -> None:
    for _ in range(14):
        clara.next_day()
    member = members(clara, frozen=True)[0]
    price = int(clara.world.price[member.product])

    up = clara.set_price(member.product, roubles(price + 10_00))
    down = clara.set_price(member.product, roubles(price - 10_00))

    assert (up.updated, up.errors[0].code) == (False, "price_is_frozen")
    assert down.updated


def test_a_promotion_ends_and_another_comes(clara: Seller) -> None:
    first = {offer.number for offer in clara.world.promotions.offers}
    for _ in range(28):
        clara.next_day()

    then = {offer.number for offer in clara.world.promotions.offers}

    assert len(first & then) == 1, "the one without an end"
    assert members(clara)
    assert clara.post("/v2/actions/products", action_id=max(first), limit=100).status_code == 404
