"""An order of any channel as it will be stored: OZON's postings and a CRM's orders become this first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from apps.sales.models import Order, SalesType

OPEN, DELIVERED, CANCELLED, RETURNED = Order.Status
ENDED = frozenset({CANCELLED, RETURNED})

LONGEST_NAME = 500
MOST_UNITS = 1_000_000
MOST_MONEY = Decimal(10) ** 11


class Unusable(Exception):
    """An order that cannot be counted; the text says why, without anything about the buyer."""


@dataclass(frozen=True)
class Line:
    """`price` is per unit; `product_id` is ours, None for what the catalog does not have."""

    product_id: int | None
    external_product_id: str
    name: str
    quantity: Decimal
    price: Decimal
    unit_cost: Decimal | None = None


@dataclass(frozen=True)
class Spending:
    """An expense of an order; `type_id` is ours."""

    external_id: int
    type_id: int | None
    amount: Decimal
    paid_at: datetime | None


@dataclass(frozen=True)
class Parcel:
    """`paid` is what the buyer pays in all and `received` what of it has come, where the channel tells; `ended_on` the
    day of a cancellation or return, likewise. `expenses` is None where the channel knows of none. Ids of other rows are
    ours."""

    external_id: str
    order_number: str
    channel: str
    status: str
    raw_status: str
    placed_at: datetime
    placed_on: date
    lines: tuple[Line, ...]
    paid: Decimal | None = None
    received: Decimal | None = None
    currency: str = ""
    ended_on: date | None = None
    source_id: int | None = None
    sales_type: str = SalesType.RETAIL
    manager_id: int | None = None
    buyer_id: int | None = None
    source_updated_at: datetime | None = None
    expenses: tuple[Spending, ...] | None = None

    @property
    def total(self) -> Decimal:
        return self.of_lines if self.paid is None else self.paid

    @property
    def of_lines(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))
