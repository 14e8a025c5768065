"""A CRM's orders in our terms, and storing a page of them with everything that they name.

What they name and we do not know becomes a row of its own, so that no order is lost for it; until a person has said
what it is, the orders are unclassified, and the owners are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from apps.catalog.crm_goods import ALONE
from apps.catalog.models import Product
from apps.common.periods import day_of
from apps.common.text import fit
from apps.jobs.sync_runs import Stored
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.paging import BadRow
from apps.sales import buyers, orders
from apps.sales.models import Source
from apps.sales.parcels import (
    CANCELLED,
    DELIVERED,
    ENDED,
    LONGEST_NAME,
    MOST_MONEY,
    MOST_UNITS,
    OPEN,
    Line,
    Parcel,
    Spending,
    Unusable,
)
from apps.sales.sales_type import Asked, types_of
from apps.sales.sources import (
    KnownManager,
    KnownSource,
    add_expense_types,
    add_managers,
    add_sources,
    known_expense_types,
    known_managers,
    known_sources,
)
from apps.sales.unseen import What, tell_unseen
from apps.shops.models import CrmRules, Shop

Row = TypeVar("Row")

CHANNEL = "keycrm"
GROUPS = {1: OPEN, 2: OPEN, 3: OPEN, 4: OPEN, 5: DELIVERED, 6: CANCELLED}
PAID = "paid"  # a payment that has come
NOT_PAID_OUT = "canceled"  # an expense that did not come about


@dataclass(frozen=True)
class Names:
    """What orders name, as it is stored, or our ids of it, by the CRM's ids; `alone` are the products without variants,
    which lines name by their SKU."""

    sources: Mapping[int, KnownSource]
    managers: Mapping[int, KnownManager]
    expense_types: Mapping[int, int]
    products: Mapping[str, int]
    alone: Mapping[str, int]
    buyers: Mapping[int, int]


NAMELESS = Names({}, {}, {}, {}, {}, {})


def store(shop: Shop, rows: Sequence[schemas.Order], *, last_day: date) -> Stored:
    """Orders with lines, expenses and buyers; belongs into a transaction. See `orders.store`."""
    names, lost = _names(shop, rows), lost_statuses(shop)
    parcels: dict[str, Parcel] = {}
    bad_rows: list[BadRow] = []
    for index, row in enumerate(rows):
        try:
            parcels[str(row.order_id)] = parcel_of(row, shop=shop, names=names, lost_statuses=lost)
        except Unusable as error:
            bad_rows.append(BadRow(index, str(row.order_id), str(error)))
    typed = _typed(shop, list(parcels.values()))
    _tell_of_strangers(shop, rows, names)
    return Stored(orders.store(shop, typed, last_day=last_day), bad_rows)


def rules_of(shop: Shop) -> CrmRules:
    return CrmRules.objects.filter(shop=shop).first() or CrmRules(shop=shop)


def lost_statuses(shop: Shop) -> frozenset[int]:
    """What counts as cancelled where the group of a status is not told."""
    return frozenset(rules_of(shop).lost_statuses)


def parcel_of(order: schemas.Order, *, shop: Shop, names: Names, lost_statuses: frozenset[int]) -> Parcel:
    """Raises `Unusable`."""
    if order.ordered_at is None:
        raise Unusable("ordered_at: the moment of the sale is missing")
    if order.products is None or order.expenses is None:
        raise Unusable("products, expenses: they did not come with the order")
    status = status_of(order, lost_statuses)
    lines = tuple(_line(line, names) for line in order.products)
    _refuse_nonsense(order, lines)
    changed_at = order.status_changed_at
    source = names.sources.get(order.source_id or 0)
    manager = names.managers.get(order.manager.user_id) if order.manager else None
    currency = source.currency if source else shop.currency
    return Parcel(
        external_id=str(order.order_id),
        order_number=str(order.order_id),
        channel=CHANNEL,
        status=status,
        raw_status=str(order.status_id or ""),
        placed_at=order.ordered_at,
        placed_on=day_of(order.ordered_at, shop.timezone),
        lines=lines,
        paid=order.grand_total,
        received=received_of(order, currency),
        currency=currency,
        ended_on=day_of(changed_at, shop.timezone) if status in ENDED and changed_at else None,
        source_id=source.id if source else None,
        manager_id=manager.id if manager else None,
        buyer_id=names.buyers.get(order.buyer.buyer_id) if order.buyer else None,
        source_updated_at=order.updated_at,
        expenses=tuple(_spending(one, names) for one in order.expenses if one.status != NOT_PAID_OUT),
    )


def status_of(order: schemas.Order, lost_statuses: frozenset[int]) -> str:
    """By the group, which means the same in every account; a group we have never heard of is on its way."""
    if order.group_id is not None:
        return GROUPS.get(order.group_id, OPEN)
    return CANCELLED if order.status_id in lost_statuses else OPEN


def received_of(order: schemas.Order, currency: str) -> Decimal | None:
    """What the buyer has paid; None when it was not told, or when some of it came in another currency."""
    paid = [payment for payment in order.payments or () if payment.status == PAID]
    if order.payments is None or any(payment.actual_currency not in ("", currency) for payment in paid):
        return None
    return sum((payment.amount for payment in paid), Decimal(0))


def _line(line: schemas.OrderProduct, names: Names) -> Line:
    offer_id = str(line.offer.offer_id) if line.offer else ""
    price = line.price_sold if line.price_sold is not None else line.price
    return Line(
        product_id=names.products.get(offer_id) or names.alone.get(line.sku),
        external_product_id=offer_id,
        name=fit(line.name, LONGEST_NAME),
        quantity=line.quantity,
        price=price if price is not None else Decimal(0),
        unit_cost=line.purchased_price or None,  # 0 is its way to say that nobody has entered one
    )


def _spending(expense: schemas.OrderExpense, names: Names) -> Spending:
    type_id = names.expense_types.get(expense.expense_type_id or 0)
    return Spending(expense.expense_id, type_id, expense.amount, expense.payment_date)


def _refuse_nonsense(order: schemas.Order, lines: Sequence[Line]) -> None:
    if order.grand_total > 0 and not lines:
        raise Unusable("products: there are none, and yet the order has a total")
    if any(not 0 <= line.quantity <= MOST_UNITS or line.price < 0 for line in lines):
        raise Unusable("products: quantity or price is out of range")
    if not 0 <= order.grand_total <= MOST_MONEY:
        raise Unusable("grand_total: out of range")


def _names(shop: Shop, rows: Sequence[schemas.Order]) -> Names:
    """What is not known yet becomes a row first; a type of expenses counts as it is, so it is told at once."""
    managers = {row.manager.user_id for row in rows if row.manager}
    types = {one.expense_type_id for row in rows for one in row.expenses or () if one.expense_type_id}
    offers = {str(line.offer.offer_id) for row in rows for line in row.products or () if line.offer}

    def add_and_tell(shop: Shop, new: set[int]) -> None:
        tell_unseen(shop, What.EXPENSE_TYPE, add_expense_types(shop, new))

    return Names(
        sources=_complete(shop, known_sources, add_sources, {row.source_id for row in rows if row.source_id}),
        managers=_complete(shop, known_managers, add_managers, managers),
        expense_types=_complete(shop, known_expense_types, add_and_tell, types),
        products=_products(shop, offers),
        alone=_products_alone(shop, {line.sku for row in rows for line in row.products or () if line.sku}),
        buyers=buyers.store(shop, (row.buyer for row in rows if row.buyer)),
    )


def _complete(
    shop: Shop, known: Callable[[Shop], dict[int, Row]], add: Callable[[Shop, set[int]], object], wanted: set[int]
) -> dict[int, Row]:
    """The rows of a directory, in which every wanted one has its place."""
    found = known(shop)
    if new := wanted - found.keys():
        add(shop, new)
        return known(shop)
    return found


def _products(shop: Shop, offers: set[str]) -> dict[str, int]:
    products = Product.objects.filter(shop=shop, external_id__in=offers)
    return dict(products.order_by().values_list("external_id", "id"))


def _products_alone(shop: Shop, skus: set[str]) -> dict[str, int]:
    products = Product.objects.filter(shop=shop, offer_id__in=skus, external_id__startswith=ALONE)
    return dict(products.order_by().values_list("offer_id", "id"))


def _typed(shop: Shop, parcels: Sequence[Parcel]) -> list[Parcel]:
    asked = [Asked(parcel.source_id, parcel.manager_id, parcel.placed_on) for parcel in parcels]
    return [
        replace(parcel, sales_type=sales_type)
        for parcel, sales_type in zip(parcels, types_of(shop, asked), strict=True)
    ]


def _tell_of_strangers(shop: Shop, rows: Sequence[schemas.Order], names: Names) -> None:
    """Sources without a role, managers of whom nobody has said what they sell, groups that do not exist."""
    groups = {row.group_id for row in rows if row.group_id is not None}
    tell_unseen(shop, What.STATUS_GROUP, groups - set(GROUPS))
    used = {row.source_id for row in rows if row.source_id}
    tell_unseen(shop, What.SOURCE, {one for one in used if names.sources[one].role == Source.Role.UNKNOWN})
    sellers = {row.manager.user_id for row in rows if row.manager}
    tell_unseen(shop, What.MANAGER, {one for one in sellers if not names.managers[one].is_said})
