"""A figure is the same wherever a person reads it."""

from __future__ import annotations

import pytest

from apps.inventory.cover import load_cover
from apps.pricing.facts import load_facts
from tests import cast
from tests.inventory.shelf import Shelf

pytestmark = pytest.mark.django_db


def test_a_price_card_and_the_inventory_know_the_same_stock_rate_and_cover() -> None:
    shelf = Shelf(cast.anna().seller.shops.get())
    for sales in ([3] * 56, [0, 2] * 28, [1, None, 4] * 18, [5] * 9):
        product = shelf.product()
        shelf.sold(product, sales)
        shelf.morning(product, 70, reserved=20)
    shelf.synced()
    found = load_cover(shelf.shop)
    assert found is not None
    covers = {cover.product.pk: cover for cover in found.covers}
    for facts in load_facts(shelf.shop):
        cover = covers[facts.product_id]
        assert facts.stock == cover.stock == 50
        assert float(facts.units_per_day or 0) == pytest.approx(cover.rate, abs=0.0005)
        assert float(facts.cover_days or 0) == pytest.approx(cover.days, rel=0.001)
    assert len(covers) == 4
