"""Holding what Vitrina knows against what the world knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Min, Q

from apps.backoffice.demo.world import Truth, World
from apps.sales.models import DailyFact
from apps.shops.models import Shop

NOTHING = Truth(0, Decimal(0), 0, 0, 0, 0)


@dataclass(frozen=True)
class Comparison:
    """`cells` were compared (one product on one day each); `wrong` describes the first that differ."""

    cells: int
    units: int
    revenue: Decimal
    wrong: tuple[str, ...]


def compare(world: World, shop: Shop, last: date) -> Comparison:
    """Every fact up to `last` beside the ledger: what was ordered, how it ended, and what ended on each day."""
    first = DailyFact.objects.filter(product__shop=shop).aggregate(first=Min("day"))["first"] or last
    truths = world.ledger(first, last)
    facts = {
        (row.product.external_id, row.day): row
        for row in DailyFact.objects.filter(Q(day__gte=first, day__lte=last), product__shop=shop).select_related(
            "product"
        )
    }
    wrong = [
        f"{product} on {day}: {difference}"
        for product, day in sorted(truths.keys() | facts.keys())
        if (difference := _difference(facts.get((product, day)), truths.get((product, day), NOTHING)))
    ]
    return Comparison(
        cells=len(truths),
        units=sum(truth.units for truth in truths.values()),
        revenue=sum((truth.revenue for truth in truths.values()), Decimal(0)),
        wrong=tuple(wrong[:10]),
    )


def _difference(fact: DailyFact | None, truth: Truth) -> str:
    ours = (fact.units, fact.revenue, fact.cancelled_units, fact.returned_units) if fact else (0, Decimal(0), 0, 0)
    theirs = (truth.units, truth.revenue, truth.cancelled_units, truth.returned_units)
    if ours != theirs:
        return f"{ours} here, {theirs} in the world"
    events = (fact.cancellations, fact.returns) if fact else (None, None)
    true_events = (truth.cancellations, truth.returns)
    # Unknown before the first sync: the marketplace tells no date of them.
    known = [(mine, true) for mine, true in zip(events, true_events, strict=True) if mine is not None]
    return f"events {events} here, {true_events} in the world" if any(mine != true for mine, true in known) else ""
