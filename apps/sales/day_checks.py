"""The last days read again and compared with what is stored, order by order: every night, and when a person asks.

A day is read whole. What differed is written down with both sides, then the day is stored as it was read. An order of
ours that its day does not list is asked for by its number: it has moved to another day, or it is gone, and then it
leaves the books. The old day and the new one of whatever moved are rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db.models import DecimalField, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.common.clock import real_now
from apps.common.periods import Period, day_of
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, whole
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.paging import BadRow
from apps.sales import crm_orders
from apps.sales.crm_gaps import NOT_THERE, forget_found, remember_missing, unusable
from apps.sales.crm_sync import store
from apps.sales.models import DayCheck, Expense, Order, OrderLine
from apps.sales.rollup import touch
from apps.shops.models import Shop

SOURCE = "days_again"
REREAD_DAYS = 30
ONE_SECOND = timedelta(seconds=1)
MOST_DIFFERENCES = 200
CENT = Decimal("0.01")
NOTHING = Decimal(0)


class Side(NamedTuple):
    """An order as one side has it; the fields are those that are compared. None: this side does not have it."""

    status: str
    day: date
    total: Decimal
    lines: Decimal
    expenses: Decimal


@dataclass(frozen=True)
class Difference:
    """Of one order in one field; "order" is the field where only one side has it."""

    order: str
    field: str
    source: str
    stored: str


@dataclass(frozen=True)
class DayRead:
    """A day as the CRM has it, what came of it and could not be read, and our orders that it does not list: as they
    are now, or None."""

    day: date
    orders: tuple[schemas.Order, ...]
    bad_rows: tuple[BadRow, ...]
    elsewhere: Mapping[int, schemas.Order | None]


def reread_days(work: Work[KeyCrm], days: Period | None = None) -> bool:
    """Each day is one step, which commits with its comparison; the cursor is the last day that was done."""
    wanted = days or Period.ending(work.last_day, days=REREAD_DAYS)

    def fetch(cursor: str) -> Iterator[Batch[DayRead]]:
        left = [day for day in wanted if not cursor or day > date.fromisoformat(cursor)]
        for day in left:
            read = read_day(work.client, work.shop, day)
            received = len(read.orders) + len(read.bad_rows)
            yield Batch((read,), read.bad_rows, received, day.isoformat(), last=day == wanted.last, announced=None)

    since, until = wanted.bounds(work.shop.timezone)
    return follow(work, Reading(SOURCE, fetch, partial(_store, work), since=since, until=min(until, work.as_of)))


def read_day(client: KeyCrm, shop: Shop, day: date) -> DayRead:
    """Raises `Doubtful` when the list is not whole, and an `ApiError`."""
    since, until = Period(day, day).bounds(shop.timezone)
    orders, bad_rows = whole(client.orders(created=(since, until - ONE_SECOND)))
    listed = {str(order.order_id) for order in orders} | {bad.id for bad in bad_rows}
    ours = Order.objects.filter(shop=shop, placed_on=day).exclude(external_id__in=[one for one in listed if one])
    missing = [int(external_id) for external_id in ours.order_by("pk").values_list("external_id", flat=True)]
    return DayRead(day, tuple(orders), tuple(bad_rows), {one: client.order(one) for one in missing})


def compare(shop: Shop, read: DayRead) -> tuple[dict[str, Side], dict[str, Side], list[Difference]]:
    """Both sides of a day by the numbers of the orders, and where they differ."""
    lost = crm_orders.lost_statuses(shop)
    sides = ((str(order.order_id), _side(shop, order, lost)) for order in read.orders)
    source = {key: side for key, side in sides if side is not None}
    stored = _stored(shop, read.day, source)
    ours = {key: side for key, side in stored.items() if side.day == read.day}
    differences = [
        difference
        for key in sorted({*source, *ours}, key=int)
        for difference in _differences(key, source.get(key), stored.get(key))
    ]
    return source, ours, differences


def _store(work: Work[KeyCrm], rows: Sequence[DayRead]) -> Stored:
    (read,) = rows
    source, found, differences = compare(work.shop, read)
    moved = [order for order in read.elsewhere.values() if order is not None]
    stored = store(work, [*read.orders, *moved])
    gone = [key for key, order in read.elsewhere.items() if order is None]
    _remove(work, read.day, gone)
    remember_missing(work, dict.fromkeys(gone, NOT_THERE) | unusable(stored.bad_rows))
    forget_found(work.shop, [order.order_id for order in read.orders])
    since = _stored(work.shop, read.day, ())
    DayCheck.objects.update_or_create(
        shop=work.shop,
        day=read.day,
        defaults={
            "checked_at": real_now(),
            **_totals("source", source),
            **_totals("found", found),
            **_totals("stored", since),
            "differences": [vars(one) for one in differences[:MOST_DIFFERENCES]],
        },
    )
    return Stored(stored.written + len(gone), stored.bad_rows)


def _remove(work: Work[KeyCrm], day: date, external_ids: Sequence[int]) -> None:
    """What the CRM no longer has is in no figure of ours; `MissingOrder` says that it was there."""
    orders = Order.objects.filter(shop=work.shop, external_id__in=[str(one) for one in external_ids])
    days = {one for pair in orders.values_list("placed_on", "closed_on") for one in pair if one}
    orders.delete()
    touch(work.shop, days)


def _side(shop: Shop, order: schemas.Order, lost: frozenset[int]) -> Side | None:
    """As it would be stored: by the same reading, names aside."""
    try:
        parcel = crm_orders.parcel_of(order, shop=shop, names=crm_orders.NAMELESS, lost_statuses=lost)
    except crm_orders.Unusable:
        total = order.grand_total
        day = day_of(order.ordered_at, shop.timezone) if order.ordered_at else None
        return Side("", day, total, NOTHING, NOTHING) if day else None
    expenses = sum((one.amount for one in parcel.expenses or ()), NOTHING)
    return Side(parcel.status, parcel.placed_on, *(_cents(one) for one in (parcel.total, parcel.of_lines, expenses)))


def _stored(shop: Shop, day: date, also: Iterable[str]) -> dict[str, Side]:
    """Our orders of the day, and those of these numbers whatever their day."""
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by().values("order")
    money: DecimalField = DecimalField(max_digits=20, decimal_places=5)
    of_lines = lines.annotate(sum=Sum(F("price") * F("quantity"), output_field=money)).values("sum")
    expenses = Expense.objects.filter(order=OuterRef("pk")).order_by().values("order")
    of_expenses = expenses.annotate(sum=Sum("amount")).values("sum")
    orders = Order.objects.filter(shop=shop, placed_on=day) | Order.objects.filter(
        shop=shop, external_id__in=list(also)
    )
    rows = orders.values_list(
        "external_id", "status", "placed_on", "total",
        Coalesce(Subquery(of_lines), NOTHING, output_field=money), Coalesce(Subquery(of_expenses), NOTHING),
    )  # fmt: skip
    return {key: Side(status, on, *(_cents(one) for one in amounts)) for key, status, on, *amounts in rows}


def _differences(key: str, source: Side | None, stored: Side | None) -> Iterator[Difference]:
    if source is None or stored is None:
        yield Difference(key, "order", _said(source and source.total), _said(stored and stored.total))
        return
    for field in Side._fields:
        there, here = getattr(source, field), getattr(stored, field)
        if there != here:
            yield Difference(key, field, _said(there), _said(here))


def _totals(side: str, orders: Mapping[str, Side]) -> dict[str, Any]:
    total = sum((order.total for order in orders.values()), NOTHING)
    return {f"{side}_orders": len(orders), f"{side}_total": total}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


def _said(value: object) -> str:
    return "" if value is None else str(value)
