"""Experiments on products whose days are written down by hand, in a shop that sells evenly beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from apps.catalog.models import PriceChange, Product
from apps.common.periods import at_time
from apps.experiments.models import Experiment
from apps.experiments.review import ECONOMICS
from apps.experiments.verdicts import Economics
from apps.shops.models import Member
from tests.inventory.shelf import TODAY, Shelf
from tests.reports import rows

D = Decimal
Source = PriceChange.Source
STARTS_ON = TODAY + timedelta(days=1)
ENDS_ON = TODAY + timedelta(days=7)
REVIEW = TODAY + timedelta(days=8)
OTHERS = 20
LITTLE_MARGIN = Economics(price_from=D(1000), price_to=D(1090), commission_rate=D("0.2"), cost=D(500), logistics=D(95))
"""A rise that pays even when it costs a quarter of the sales."""
LARGE_MARGIN = replace(LITTLE_MARGIN, cost=D(50), logistics=D(5))
"""One that pays only when it costs hardly any."""
BEFORE = [4] * 56
"""Units of the days before the change, the day of the change among them."""
WELL, BADLY = [6] * 7, [0] * 7


def with_neighbours(shelf: Shelf) -> Shelf:
    """Twenty products that sold evenly to the end of the window; the data of the morning after."""
    for _ in range(OTHERS):
        shelf.sold(shelf.product(), [2] * 70, last=ENDS_ON)
    synced(shelf, REVIEW)
    return shelf


def synced(shelf: Shelf, day: date, **options: Any) -> None:
    shelf.synced(at_time(day, time(6), shelf.shop.timezone), **options)


def measured(
    shelf: Shelf, by: Member, units: Sequence[int | None] = WELL, *, economics: Economics = LITTLE_MARGIN
) -> Experiment:
    """An experiment on a product of its own, which sold `units` in its window."""
    product = shelf.product()
    shelf.sold(product, [*BEFORE, *units], last=ENDS_ON)
    experiment = rows.experiment(
        product,
        by,
        starts_on=ENDS_ON - timedelta(days=len(units) - 1),
        days=len(units),
        economics=ECONOMICS.dump_python(economics, mode="json"),
    )
    changed(product, experiment.starts_on - timedelta(days=1), source=Source.VITRINA, command_id=experiment.command_id)
    return experiment


def changed(product: Product, day: date, *, source: Source = Source.MARKETPLACE, **columns: Any) -> None:
    PriceChange.objects.create(
        product=product,
        seen_at=at_time(day, time(12), product.shop.timezone),
        seen_on=day,
        price_from=D(1000),
        price_to=D(1090),
        currency="RUB",
        source=source,
        **columns,
    )
