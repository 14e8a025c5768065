"""A shop's sales in sums, for reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from apps.common.periods import Period
from apps.sales.known import KnownDays
from apps.sales.models import DailyFact, Order
from apps.shops.models import Shop

EVENTS = ("cancellations", "returns")
SUMS = ("units", "revenue", "cancelled_units", "cancelled_revenue", "returned_units", "returned_revenue", *EVENTS)


@dataclass(frozen=True)
class Totals:
    """Sums over products, in the shop's currency.

    `orders` are distinct order numbers. units, revenue: ordered in the period; cancelled_ and returned_: how much of
    that was cancelled or returned since; cancellations, returns: units whose end came in the period, None before the
    shop was first synced.
    """

    orders: int = 0
    units: int = 0
    revenue: Decimal = Decimal(0)
    cancelled_units: int = 0
    cancelled_revenue: Decimal = Decimal(0)
    returned_units: int = 0
    returned_revenue: Decimal = Decimal(0)
    cancellations: int | None = None
    returns: int | None = None


def day_totals(shop: Shop, period: Period) -> dict[date, Totals]:
    """Totals of every day of the period whose sales are known, in order."""
    known = KnownDays.of(shop)
    orders = dict(_orders(shop, period).values_list("placed_on").annotate(Count("order_number", distinct=True)))
    facts = _facts(shop, period).values("day").annotate(**_sums())
    sums = {row.pop("day"): row for row in facts}
    return {
        day: _totals(orders.get(day, 0), sums.get(day, {}), with_events=known.has_events(day))
        for day in period
        if known.has_sales(day)
    }


def totals(shop: Shop, period: Period) -> Totals | None:
    """Totals of the whole period; None when the sales of a day of it are not known."""
    known = KnownDays.of(shop)
    if not (known.has_sales(period.first) and known.has_sales(period.last)):
        return None
    orders = _orders(shop, period).aggregate(orders=Count("order_number", distinct=True))["orders"]
    sums = _facts(shop, period).aggregate(**_sums())
    return _totals(orders, sums, with_events=known.has_events(period.first))


def _orders(shop: Shop, period: Period) -> QuerySet[Order]:
    return Order.objects.filter(shop=shop, placed_on__range=(period.first, period.last))


def _facts(shop: Shop, period: Period) -> QuerySet[DailyFact]:
    return DailyFact.objects.filter(product__shop=shop, day__range=(period.first, period.last))


def _sums() -> dict[str, Sum]:
    return {name: Sum(name) for name in SUMS}


def _totals(orders: int, sums: Mapping[str, Any], *, with_events: bool) -> Totals:
    ordered = {name: value for name, value in sums.items() if value is not None and name not in EVENTS}
    events: dict[str, Any] = {name: sums.get(name) or 0 if with_events else None for name in EVENTS}
    return Totals(orders=orders, **ordered, **events)
