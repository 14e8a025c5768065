"""Storing a page of parcels: orders with their lines, and the days whose facts that touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from apps.common.bulk import upsert
from apps.sales.models import Expense, Order, OrderLine, Return, SalesType
from apps.sales.parcels import ENDED, Parcel
from apps.sales.rollup import touch
from apps.shops.models import Shop

ORDER_COLUMNS = (
    *(
        "order_number",
        "channel",
        "status",
        "raw_status",
        "placed_at",
        "placed_on",
        "closed_on",
        "total",
        "received",
        "currency",
    ),
    *("source_id", "sales_type", "manager_id", "buyer_id", "source_updated_at"),
)
ENRICHED = ("source_id", "buyer_id", "source_updated_at")  # a null from the channel does not erase them
LINE_COLUMNS = ("product_id", "external_product_id", "name", "quantity", "price", "unit_cost")
EXPENSE_COLUMNS = ("type_id", "amount", "paid_at")


class Known(NamedTuple):
    """An order as it is stored."""

    id: int
    status: str
    placed_on: date
    closed_on: date | None
    total: Decimal
    source_id: int | None = None
    sales_type: str = SalesType.RETAIL
    buyer_id: int | None = None


def store(shop: Shop, parcels: Sequence[Parcel], *, last_day: date) -> int:
    """Write what differs, lines and expenses included; returns how many rows. Belongs into a transaction.

    `last_day` is the last day that had ended when the parcels were read: what is seen to have ended since the last
    sync ended on it.
    """
    before = _known(shop, [parcel.external_id for parcel in parcels])
    closed = {parcel.external_id: closing_day(before.get(parcel.external_id), parcel, last_day) for parcel in parcels}
    orders = upsert(
        Order,
        (_order_row(shop, parcel, closed[parcel.external_id]) for parcel in parcels),
        key=("shop_id", "external_id"),
        columns=ORDER_COLUMNS,
        keep_known=ENRICHED,
        returning=("external_id", "id"),
    )
    ids = {external_id: known.id for external_id, known in before.items()} | dict(orders.rows)
    old = {known.id for known in before.values()}
    costs = _first_costs(old)
    lines = upsert(
        OrderLine,
        (row for parcel in parcels for row in _line_rows(ids[parcel.external_id], parcel, costs)),
        key=("order_id", "position"),
        columns=LINE_COLUMNS,
        keep_known=("product_id",),
        returning=("order_id",),
    )
    shorter = _drop_lines({before[p.external_id].id: len(p.lines) for p in parcels if p.external_id in before})
    spent = _store_expenses({ids[parcel.external_id]: parcel for parcel in parcels}, old)
    changed = {*(order_id for (order_id,) in lines.rows), *shorter, *spent}
    with_new_lines = {key for key, order_id in ids.items() if order_id in changed}
    days = _touched_days(parcels, before, closed, with_new_lines) | _days_of_returns(shop, parcels, before)
    touch(shop, days)
    return orders.written + lines.written + len(shorter) + len(spent)


def closing_day(before: Known | None, parcel: Parcel, last_day: date) -> date | None:
    """The day a cancellation or return counts on, where the channel tells none.

    One that we see happen, happened on the last day that has ended. One that had happened before we first saw the order
    has a day only if the order itself is not older than that.
    """
    if parcel.status not in ENDED:
        return None
    if parcel.ended_on is not None:
        return parcel.ended_on
    if before is None:
        return parcel.placed_on if parcel.placed_on >= last_day else None
    return before.closed_on if before.status in ENDED else max(parcel.placed_on, last_day)


def _known(shop: Shop, external_ids: Sequence[str]) -> dict[str, Known]:
    rows = Order.objects.filter(shop=shop, external_id__in=external_ids).order_by()
    return {row[0]: Known(*row[1:]) for row in rows.values_list("external_id", *Known._fields)}


def _order_row(shop: Shop, parcel: Parcel, closed_on: date | None) -> tuple[object, ...]:
    head = (shop.pk, parcel.external_id, parcel.order_number, parcel.channel, parcel.status, parcel.raw_status)
    money = (parcel.total, parcel.received, parcel.currency or shop.currency)
    whose = (parcel.source_id, parcel.sales_type, parcel.manager_id, parcel.buyer_id, parcel.source_updated_at)
    return (*head, parcel.placed_at, parcel.placed_on, closed_on, *money, *whose)


def _line_rows(order_id: int, parcel: Parcel, costs: Mapping[tuple[int, int], Decimal]) -> Iterable[tuple[object, ...]]:
    for position, line in enumerate(parcel.lines):
        cost = costs.get((order_id, position), line.unit_cost)
        named = (line.product_id, line.external_product_id, line.name)
        yield order_id, position, *named, line.quantity, line.price, cost


def _first_costs(order_ids: Set[int]) -> dict[tuple[int, int], Decimal]:
    """What lines cost when they were first seen: a channel that tells today's price of old sales rewrites nothing."""
    known = OrderLine.objects.filter(order__in=order_ids, unit_cost__isnull=False).order_by()
    return {(order, position): cost for order, position, cost in known.values_list("order", "position", "unit_cost")}


def _store_expenses(parcels: Mapping[int, Parcel], old: Set[int]) -> set[int]:
    """Expenses as they are now, of the orders (by our id) whose channel tells of them; returns those that changed.
    Only an `old` order can have some that are gone."""
    told = {order_id: parcel.expenses for order_id, parcel in parcels.items() if parcel.expenses is not None}
    rows = [
        (order_id, one.external_id, one.type_id, one.amount, one.paid_at)
        for order_id, expenses in told.items()
        for one in expenses
    ]
    key = ("order_id", "external_id")
    written = upsert(Expense, rows, key=key, columns=EXPENSE_COLUMNS, returning=("order_id",))
    present = {row[:2] for row in rows}
    stored = Expense.objects.filter(order__in=told.keys() & old).order_by()
    gone = {
        key: order_id
        for key, order_id, external_id in stored.values_list("pk", "order_id", "external_id")
        if (order_id, external_id) not in present
    }
    Expense.objects.filter(pk__in=gone).delete()
    return {*(order_id for (order_id,) in written.rows), *gone.values()}


def _drop_lines(lengths: Mapping[int, int]) -> set[int]:
    """Remove lines beyond the present length of their order; returns the orders that had such."""
    if not lengths:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from order_lines using unnest(%s::bigint[], %s::int[]) as present (order_id, length)"
            " where order_lines.order_id = present.order_id and position >= length returning order_lines.order_id",
            [list(lengths), list(lengths.values())],
        )
        return {order_id for (order_id,) in cursor.fetchall()}


def _touched_days(
    parcels: Sequence[Parcel], before: Mapping[str, Known], closed: Mapping[str, date | None], with_new_lines: set[str]
) -> set[date]:
    """The days, old and new, of orders that count differently now; on its way or delivered is all the same to facts."""
    days: set[date | None] = set()
    for parcel in parcels:
        key = parcel.external_id
        old = before.get(key)
        if old is None or key in with_new_lines or _counts_anew(parcel, closed[key], old):
            days |= {parcel.placed_on, closed[key]}
            days |= {old.placed_on, old.closed_on} if old else set()
    return {day for day in days if day is not None}


def _days_of_returns(shop: Shop, parcels: Sequence[Parcel], before: Mapping[str, Known]) -> set[date]:
    """The days of returns that count differently now, because their order has ended, or no longer has."""
    changed = [
        parcel.external_id
        for parcel in parcels
        if parcel.external_id in before and _counted_as(before[parcel.external_id].status) != _counted_as(parcel.status)
    ]
    returns = Return.objects.filter(shop=shop, posting_number__in=changed, returned_on__isnull=False)
    return {day for day in returns.values_list("returned_on", flat=True) if day} if changed else set()


def _counts_anew(parcel: Parcel, closed_on: date | None, known: Known) -> bool:
    return _counted(parcel, closed_on, known) != _counted(known, known.closed_on, known)


def _counted(order: Parcel | Known, closed_on: date | None, known: Known) -> tuple[object, ...]:
    """Everything of an order that some figure depends on; what the channel does not tell now is as it was known."""
    whose = (order.source_id or known.source_id, order.sales_type, order.buyer_id or known.buyer_id)
    return (_counted_as(order.status), order.placed_on, closed_on, order.total, *whose)


def _counted_as(status: str) -> str:
    return status if status in ENDED else ""
