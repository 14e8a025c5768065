"""What OZON says of a product's price and fees, in our terms, and the history of prices that were seen.

Expected logistics of one unit, in roubles, from /v5/product/info/prices:
    FBO: direct flow (middle of its minimum and maximum) + delivery to the customer
    FBS: first mile (middle) + direct flow (middle) + delivery to the customer
The range of the direct flow is that of the distances a parcel may travel, and its middle is what we can say beforehand.
A part that OZON does not tell leaves the sum unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from django.db import transaction

from apps.catalog.models import PriceChange, Product
from apps.common.periods import day_of
from apps.jobs.sync_runs import doubt_unread
from apps.marketplaces.ozon_seller.schemas import ProductPrice
from apps.shops.models import Shop

PERCENT = Decimal(100)

Terms: TypeAlias = Mapping[str, Any]
"""Values of columns of `Product`, by their names."""


class PriceColumns(NamedTuple):
    """Columns of `Product`, in order. Of `FEES` a null only means that OZON did not tell this time."""

    price: Decimal | None
    old_price: Decimal | None
    min_price: Decimal | None
    vat_rate: Decimal | None
    fbo_commission_rate: Decimal | None
    fbs_commission_rate: Decimal | None
    fbo_logistics: Decimal | None
    fbs_logistics: Decimal | None
    fbo_return_logistics: Decimal | None
    fbs_return_logistics: Decimal | None
    acquiring: Decimal | None


FEES = ("price", *PriceColumns._fields[3:])


class SeenPrice(NamedTuple):
    """A product's price after it was written."""

    product_id: int
    external_id: str
    price: Decimal | None


def price_columns(row: ProductPrice) -> PriceColumns:
    fees = row.commissions
    fbo_flow = _middle(fees.fbo_direct_flow_trans_min_amount, fees.fbo_direct_flow_trans_max_amount)
    fbs_flow = _middle(fees.fbs_direct_flow_trans_min_amount, fees.fbs_direct_flow_trans_max_amount)
    first_mile = _middle(fees.fbs_first_mile_min_amount, fees.fbs_first_mile_max_amount)
    return PriceColumns(
        price=row.price.price,
        old_price=row.price.old_price,
        min_price=row.price.min_price,
        vat_rate=row.price.vat,
        fbo_commission_rate=_rate(fees.sales_percent_fbo),
        fbs_commission_rate=_rate(fees.sales_percent_fbs),
        fbo_logistics=_sum(fbo_flow, fees.fbo_deliv_to_customer_amount),
        fbs_logistics=_sum(first_mile, fbs_flow, fees.fbs_deliv_to_customer_amount),
        fbo_return_logistics=fees.fbo_return_flow_amount,
        fbs_return_logistics=fees.fbs_return_flow_amount,
        acquiring=row.acquiring,
    )


def known_terms(shop: Shop, external_ids: Sequence[str]) -> dict[str, Terms]:
    """What is known of the products' `FEES`, and as of when (`changed_at`), by external id."""
    products = Product.objects.filter(shop=shop, external_id__in=external_ids)
    return {row["external_id"]: row for row in products.values("external_id", "changed_at", *FEES)}


def doubt_untold(before: Mapping[str, Terms], now: Mapping[str, PriceColumns]) -> None:
    """Raise `Doubtful` when a figure that most of these products had is told of them no longer: its field has another
    name by now, and what we would go on with is old."""
    for name in FEES:
        had = [columns for key, columns in now.items() if key in before and before[key][name] is not None]
        doubt_unread(sum(getattr(columns, name) is None for columns in had), of=len(had), what=f"figures of {name}")


def record_changes(
    shop: Shop, as_of: datetime, before: Mapping[str, Decimal | None], after: Iterable[SeenPrice]
) -> int:
    """A line of history for each price that is new or differs from the stored one. `before` is by external id."""
    changes = [
        PriceChange(
            product_id=seen.product_id,
            seen_at=as_of,
            seen_on=day_of(as_of, shop.timezone),
            price_from=before.get(seen.external_id),
            price_to=seen.price,
            currency=shop.currency,
            source=PriceChange.Source.MARKETPLACE if before.get(seen.external_id) else PriceChange.Source.FIRST_SEEN,
        )
        for seen in after
        if seen.price is not None and seen.price != before.get(seen.external_id)
    ]
    return len(PriceChange.objects.bulk_create(changes))


@transaction.atomic
def store_prices(shop: Shop, as_of: datetime, rows: Iterable[ProductPrice]) -> int:
    """Keep the prices of products that are known already, with their history, as they were read after `as_of`. Returns
    how many have changed."""
    seen: list[SeenPrice] = []
    before: dict[str, Decimal | None] = {}
    read = {str(row.product_id): row.price for row in rows if row.price.currency_code in ("", shop.currency)}
    products = Product.objects.select_for_update().filter(shop=shop, external_id__in=read).order_by("pk")
    for product in products.exclude(external_id__in=known_better(shop, as_of, list(read))):
        now = read[product.external_id]
        before[product.external_id] = product.price
        product.price = now.price or product.price
        product.old_price, product.min_price = now.old_price, now.min_price
        product.save(update_fields=["price", "old_price", "min_price"])
        seen.append(SeenPrice(product.pk, product.external_id, product.price))
    return record_changes(shop, as_of, before, seen)


def known_better(shop: Shop, as_of: datetime, external_ids: Sequence[str]) -> set[str]:
    """Products whose price was changed after `as_of`, before which reading began: what was read may be older."""
    changes = PriceChange.objects.filter(product__shop=shop, product__external_id__in=external_ids, seen_at__gt=as_of)
    return set(changes.values_list("product__external_id", flat=True))


def _rate(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent / PERCENT


def _middle(least: Decimal | None, most: Decimal | None) -> Decimal | None:
    return None if least is None or most is None else (least + most) / 2


def _sum(*parts: Decimal | None) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None
