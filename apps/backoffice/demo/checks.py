"""Holding what Vitrina knows against what the world knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Min

from apps.backoffice.demo.world import Truth, World
from apps.sales.models import DailyFact
from apps.shops.models import Shop

NOTHING = Truth(0, Decimal(0), 0, 0, 0, 0)


class Fact(NamedTuple):
    """What Vitrina says about a product on a day. The last two are None before the first sync: the marketplace tells
    no date of them."""

    units: int
    revenue: Decimal
    cancelled_units: int
    returned_units: int
    cancellations: int | None
    returns: int | None


NO_FACT = Fact(0, Decimal(0), 0, 0, None, None)


@dataclass(frozen=True)
class Comparison:
    """`cells` were compared (one product on one day each); `wrong` describes the first that differ."""

    cells: int
    units: int
    revenue: Decimal
    wrong: tuple[str, ...]


def compare(world: World, shop: Shop, last: date) -> Comparison:
    """Every fact up to `last` beside the ledger: what was ordered, how it ended, and what ended on each day."""
    known = DailyFact.objects.filter(product__shop=shop)
    first = known.aggregate(first=Min("day"))["first"] or last
    truths = world.ledger(first, last)
    rows = known.filter(day__lte=last).values_list("product__external_id", "day", *Fact._fields)
    facts = {(product, day): Fact(*figures) for product, day, *figures in rows.iterator(chunk_size=10_000)}
    wrong = [
        f"{product} on {day}: {fact} here, {truth} in the world"
        for product, day in truths.keys() | facts.keys()
        if _differ(
            fact := facts.get((product, day), NO_FACT),
            truth := truths.get((product, day), NOTHING),
        )
    ]
    return Comparison(
        cells=len(truths),
        units=sum(truth.units for truth in truths.values()),
        revenue=sum((truth.revenue for truth in truths.values()), Decimal(0)),
        wrong=tuple(sorted(wrong)[:10]),
    )


def _differ(fact: Fact, truth: Truth) -> bool:
    return fact[:4] != truth[:4] or any(
        mine is not None and mine != true for mine, true in zip(fact[4:], truth[4:], strict=True)
    )
