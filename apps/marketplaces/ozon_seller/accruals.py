"""Rows of /v1/finance/accrual/by-day and of the directory of their types: charges are negative, income is positive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from apps.marketplaces.fields import ApiRow, EmptyList, Id, MaybeId, Text, is_absent
from apps.marketplaces.ozon_seller.postings import Price

SALE, COMMISSION, UNEXPLAINED = "sale", "commission", ""

MaybePrice = Annotated[Price | None, BeforeValidator(lambda value: None if is_absent(value) else value)]


class AccrualType(ApiRow):
    type_id: Id = Field(alias="id")
    name: Text = ""
    description: Text = ""


class Fee(ApiRow):
    type_id: MaybeId = None
    accrued: MaybePrice = None


class Fees(ApiRow):
    sku: MaybeId = None
    fees: Annotated[tuple[Fee, ...], EmptyList] = ()


class ItemFees(ApiRow):
    fees: Annotated[tuple[Fees, ...], EmptyList] = ()


class SaleCommission(ApiRow):
    """`commission` is the final one; `sale_commission`, that of the price list, stands in where it is missing."""

    sale_amount: MaybePrice = None
    commission: MaybePrice = None
    sale_commission: MaybePrice = None


class Delivery(ApiRow):
    services: Annotated[tuple[Fee, ...], EmptyList] = ()


class PostingProduct(ApiRow):
    sku: MaybeId = None
    commission: SaleCommission | None = None
    delivery: Delivery | None = None


class OfPosting(ApiRow):
    products: Annotated[tuple[PostingProduct, ...], EmptyList] = ()


@dataclass(frozen=True)
class Part:
    """What an accrual is for: `code` is SALE, COMMISSION, the number of a type or UNEXPLAINED; `sku` may be None."""

    sku: int | None
    code: str
    amount: Decimal


class Accrual(ApiRow):
    """`unit_number` is the posting or the contract that it is for. `total_amount` is the sum of everything in it."""

    accrual_id: Id
    accrued_category: Text = ""
    day: date = Field(alias="date")
    unit_number: Text = ""
    total_amount: Price
    posting: OfPosting | None = None
    item_fees: ItemFees | None = None
    non_item_fee: Fee | None = None
    container_fees: Fees | None = None

    @property
    def currencies(self) -> set[str]:
        return {price.currency for _, _, price in self._prices()} | {self.total_amount.currency}

    @property
    def parts(self) -> tuple[Part, ...]:
        """Amounts by product and type, equal ones summed. What they do not explain of the total is a part too."""
        sums: defaultdict[tuple[int | None, str], Decimal] = defaultdict(Decimal)
        for sku, code, price in self._prices():
            sums[sku, code] += price.amount
        sums[None, UNEXPLAINED] += self.total_amount.amount - sum(sums.values(), Decimal(0))
        return tuple(Part(sku, code, amount) for (sku, code), amount in sums.items() if amount)

    def _prices(self) -> Iterator[tuple[int | None, str, Price]]:
        for product in self.posting.products if self.posting else ():
            if product.commission:
                block = product.commission
                yield from _named(product.sku, SALE, block.sale_amount)
                yield from _named(product.sku, COMMISSION, block.commission or block.sale_commission)
            yield from _of_fees(product.sku, product.delivery.services if product.delivery else ())
        for item in self.item_fees.fees if self.item_fees else ():
            yield from _of_fees(item.sku, item.fees)
        yield from _of_fees(None, (self.non_item_fee,) if self.non_item_fee else ())
        yield from _of_fees(None, self.container_fees.fees if self.container_fees else ())


def _of_fees(sku: int | None, fees: tuple[Fee, ...]) -> Iterator[tuple[int | None, str, Price]]:
    for fee in fees:
        yield from _named(sku, str(fee.type_id) if fee.type_id else UNEXPLAINED, fee.accrued)


def _named(sku: int | None, code: str, price: Price | None) -> Iterator[tuple[int | None, str, Price]]:
    if price is not None:
        yield sku, code, price
