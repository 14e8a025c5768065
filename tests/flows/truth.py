"""Our daily facts beside the world's own ledger."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from apps.catalog.models import Product
from apps.common.periods import Period
from apps.marketplaces.standins.world import START
from apps.sales.models import DailyFact
from apps.sales.panel import Panel
from tests.flows.shop import LiveShop

ORDERED = ("units", "revenue", "cancelled_units", "returned_units")
EVENTS = ("cancellations", "returns")

Figures = dict[tuple[int, date], tuple[Any, ...]]
"""Values of some columns, by SKU and day."""


def facts(live: LiveShop, columns: tuple[str, ...], days: Period) -> Figures:
    rows = DailyFact.objects.filter(product__shop=live.shop, day__range=(days.first, days.last))
    return {(sku, day): tuple(values) for sku, day, *values in rows.values_list("product__sku", "day", *columns)}


def truth(live: LiveShop, columns: tuple[str, ...], days: Period) -> Figures:
    """The ledger's figures, without the rows that are all zero."""
    world = live.standins.of.world
    found = {}
    for day in days:
        page = world.ledger.days[(day - START).days]
        for place, sku in enumerate(world.catalog.sku.tolist()):
            values = [int(getattr(page, column)[place]) for column in columns]
            if any(values):
                found[sku, day] = tuple(
                    Decimal(value) / 100 if column == "revenue" else value
                    for column, value in zip(columns, values, strict=True)
                )
    return found


def without_zeros(rows: Figures) -> Figures:
    return {key: values for key, values in rows.items() if any(values)}


def assert_equals_the_ledger(live: LiveShop, days: Period, *, events: Period | None) -> None:
    ours, theirs = facts(live, ORDERED, days), truth(live, ORDERED, days)
    assert without_zeros(ours) == theirs
    if events:
        assert without_zeros(facts(live, EVENTS, events)) == truth(live, EVENTS, events)


def rows_of(live: LiveShop, seen: Panel) -> list[int]:
    """The panel's rows in the order of the world's products."""
    ids = dict(Product.objects.values_list("sku", "pk"))
    rows = [seen.row_of(ids[sku]) for sku in live.standins.of.world.catalog.sku.tolist()]
    return [row for row in rows if row is not None]
