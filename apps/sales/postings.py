"""OZON's postings in our terms: an order, its lines, and what its status means.

The lists tell no "returned": a parcel that comes back is `cancelled` there as well. It counts as a return when it was
on its way already: FBS says so (`cancelled_after_ship`), FBO by the substatus "back in the warehouse" or by a reason
that exists only for parcels under way. A buyer's return after delivery that leaves the posting `delivered` is not in
these lists at all: `returns.py` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.common.periods import day_of
from apps.common.text import fit
from apps.marketplaces.ozon_seller.postings import Posting
from apps.sales.parcels import (
    CANCELLED,
    DELIVERED,
    LONGEST_NAME,
    MOST_MONEY,
    MOST_UNITS,
    OPEN,
    RETURNED,
    Line,
    Parcel,
    Unusable,
)
from apps.shops.models import Shop

UNDER_WAY = frozenset(
    {
        *("awaiting_registration", "acceptance_in_progress", "awaiting_approve", "awaiting_verification"),
        *("awaiting_packaging", "awaiting_deliver", "arbitration", "client_arbitration", "delivering"),
        *("driver_pickup", "not_accepted", "sent_by_seller", "cancelled_from_split_pending"),
    }
)
BACK_IN_WAREHOUSE = "posting_returned_to_warehouse"
REASONS_UNDER_WAY = frozenset({665, 666, 667})  # not picked up, not deliverable, lost


@dataclass(frozen=True)
class Products:
    """Our ids of a shop's products. A line whose SKU was retired is found by its offer id."""

    by_sku: Mapping[int, int]
    by_offer_id: Mapping[str, int]

    @classmethod
    def of(cls, shop: Shop) -> Products:
        rows = list(shop.products.values_list("sku", "offer_id", "id"))
        return cls({sku: key for sku, _, key in rows if sku}, {offer_id: key for _, offer_id, key in rows})

    def find(self, sku: int, offer_id: str) -> int | None:
        return self.by_sku.get(sku) or self.by_offer_id.get(offer_id)


def channel_of(scheme: str) -> str:
    """The channel of OZON's orders of a scheme ("fbo", "fbs")."""
    return f"ozon_{scheme}"


def parcel_of(posting: Posting, *, shop: Shop, scheme: str, products: Products, source_id: int | None = None) -> Parcel:
    """Raises `Unusable`."""
    placed_at = posting.in_process_at or posting.created_at
    if placed_at is None:
        raise Unusable("in_process_at: the moment of the sale is missing")
    if posting.in_process_at is None and status_of(posting) == DELIVERED:
        raise Unusable("in_process_at: it was delivered and never processed")
    parcel = Parcel(
        external_id=posting.posting_number,
        order_number=posting.order_number,
        channel=channel_of(scheme),
        status=status_of(posting),
        raw_status=posting.status,
        placed_at=placed_at,
        placed_on=day_of(placed_at, shop.timezone),
        lines=tuple(
            Line(
                product_id=products.find(line.sku, line.offer_id),
                external_product_id=str(line.sku),
                name=fit(line.name, LONGEST_NAME),
                quantity=Decimal(line.quantity),
                price=line.price.amount,
            )
            for line in posting.products
        ),
        source_id=source_id,
    )
    _refuse_nonsense(posting, parcel, shop.currency)
    return parcel


def status_of(posting: Posting) -> str:
    """A status we have never heard of is under way: the sale counts, and the sync reports the word."""
    if posting.status == "cancelled":
        return RETURNED if _came_back(posting) else CANCELLED
    return DELIVERED if posting.status == "delivered" else OPEN


def is_known(status: str) -> bool:
    return status in UNDER_WAY or status in ("delivered", "cancelled")


def _came_back(posting: Posting) -> bool:
    reasons = {posting.cancel_reason_id}
    if posting.cancellation is not None:
        if posting.cancellation.cancelled_after_ship is not None:
            return posting.cancellation.cancelled_after_ship
        reasons.add(posting.cancellation.cancel_reason_id)
    return posting.substatus == BACK_IN_WAREHOUSE or bool(reasons & REASONS_UNDER_WAY)


def _refuse_nonsense(posting: Posting, parcel: Parcel, currency: str) -> None:
    foreign = {line.price.currency for line in posting.products} - {"", currency}
    if foreign:
        raise Unusable(f"products: in {', '.join(sorted(foreign))}, the shop's money is {currency}")
    if any(line.quantity > MOST_UNITS or line.price < 0 for line in parcel.lines) or parcel.total > MOST_MONEY:
        raise Unusable("products: quantity or price is out of range")
