"""Holding the shop in the CRM against the CRM itself, order by order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from apps.common.periods import Period, day_of
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm
from apps.sales.day_checks import REREAD_DAYS
from apps.sales.models import DayCheck, Expense, Order, OrderLine
from apps.shops.models import Shop

LOST_GROUP = 6
NOTHING = Decimal(0)
MONEY: DecimalField = DecimalField(max_digits=20, decimal_places=2)


class Books(NamedTuple):
    """What is compared of an order; money in the order's currency."""

    day: date
    is_lost: bool
    total: Decimal
    lines: Decimal
    expenses: Decimal


@dataclass(frozen=True)
class OrderComparison:
    """`wrong` describes the first orders that differ."""

    orders: int
    total: Decimal
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Night:
    """What a night's comparison left: its days, those that still differ, and how many differences it set right."""

    days: int
    differing: tuple[date, ...]
    set_right: int


def compare_orders(client: KeyCrm, shop: Shop) -> OrderComparison:
    """Every order of the CRM, read anew, beside PostgreSQL."""
    there = {str(order.order_id): _told(order, shop.timezone) for page in client.orders() for order in page.rows}
    here = dict(_stored(shop))
    wrong = [
        f"order {key}: {here.get(key)} here, {there.get(key)} in the CRM"
        for key in sorted(there.keys() | here.keys(), key=int)
        if here.get(key) != there.get(key)
    ]
    return OrderComparison(len(there), sum((books.total for books in there.values()), NOTHING), tuple(wrong[:10]))


def night_before(shop: Shop, day: date) -> Night:
    """The comparison of the days before `day`."""
    days = Period.ending(day - timedelta(days=1), days=REREAD_DAYS)
    checks = DayCheck.objects.filter(shop=shop, day__range=(days.first, days.last))
    still = [
        check.day
        for check in checks
        if (check.source_orders, check.source_total) != (check.stored_orders, check.stored_total)
    ]
    return Night(len(checks), tuple(still), sum(len(check.differences) for check in checks))


def _told(order: schemas.Order, timezone: str) -> Books:
    if order.ordered_at is None:
        raise ValueError(f"order {order.order_id} of the CRM has no date")
    lines = order.products or ()
    return Books(
        day=day_of(order.ordered_at, timezone),
        is_lost=order.group_id == LOST_GROUP,
        total=order.grand_total,
        lines=sum(((line.price_sold or NOTHING) * line.quantity for line in lines), NOTHING),
        expenses=sum((one.amount for one in order.expenses or ()), NOTHING),
    )


def _stored(shop: Shop) -> Iterator[tuple[str, Books]]:
    lines = _sum(OrderLine.objects.all(), F("price") * F("quantity"))
    expenses = _sum(Expense.objects.all(), F("amount"))
    orders = Order.objects.filter(shop=shop).values_list("external_id", "placed_on", "status", "total", lines, expenses)
    for key, day, status, *amounts in orders:
        yield key, Books(day, status in (Order.Status.CANCELLED, Order.Status.RETURNED), *amounts)


def _sum(rows: QuerySet[OrderLine] | QuerySet[Expense], amount: Combinable) -> Coalesce:
    of_order = rows.filter(order=OuterRef("pk")).order_by().values("order")
    return Coalesce(Subquery(of_order.annotate(sum=Sum(amount, output_field=MONEY)).values("sum")), NOTHING)
