"""Writing prices: what is sent to /v1/product/import/prices, and what the answer says about each product.

Only what is asked is sent. The switches of promotions and pricing strategies are never part of it: sending them would
take a product out of its strategy as a side effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from apps.marketplaces.fields import MOST_MONEY, ApiRow, EmptyList, MaybeId, Text

PATH = "/v1/product/import/prices"
MOST_ITEMS = 1000


@dataclass(frozen=True)
class PriceItem:
    """The prices to set for one product, named by `offer_id` or `product_id` (one of them).

    `old_price` None leaves the crossed-out price alone, 0 removes it. `min_price` None leaves it alone.
    """

    price: Decimal
    currency_code: str
    offer_id: str | None = None
    product_id: int | None = None
    old_price: Decimal | None = None
    min_price: Decimal | None = None


class ItemError(ApiRow):
    """Why a product was refused. Some errors come without a code."""

    code: Text = ""
    message: Text = ""

    @property
    def is_limit(self) -> bool:
        """The product's 10 updates an hour are used up: the same price can be sent later."""
        return "limit exceeded" in self.message.lower()


class ItemAnswer(ApiRow):
    product_id: MaybeId = None
    offer_id: Text = ""
    updated: bool
    errors: Annotated[tuple[ItemError, ...], EmptyList] = ()


@dataclass(frozen=True)
class PriceOutcome:
    """What became of one item. `updated` None: the answer does not mention it, so only a read-back tells.

    `updated` True is the API's promise, not yet the price.
    """

    item: PriceItem
    updated: bool | None
    errors: tuple[ItemError, ...] = ()


def payload(items: Sequence[PriceItem]) -> dict[str, Any]:
    """The request; ValueError naming the field when an item cannot be sent."""
    if not 1 <= len(items) <= MOST_ITEMS:
        raise ValueError(f"items: expected 1 to {MOST_ITEMS}, got {len(items)}")
    names = [_name_of(index, item) for index, item in enumerate(items)]
    if len(set(names)) < len(names):
        raise ValueError("items: the same product stands there twice")
    return {"prices": [_wire(index, item) for index, item in enumerate(items)]}


def outcomes(items: Sequence[PriceItem], answers: Sequence[ItemAnswer]) -> tuple[PriceOutcome, ...]:
    """One outcome per item, in the order of `items`."""
    by_offer = {answer.offer_id: answer for answer in answers if answer.offer_id}
    by_product = {answer.product_id: answer for answer in answers if answer.product_id}
    return tuple(
        _outcome(item, by_offer.get(item.offer_id) if item.offer_id else by_product.get(item.product_id or 0))
        for item in items
    )


def _outcome(item: PriceItem, answer: ItemAnswer | None) -> PriceOutcome:
    return PriceOutcome(item, None) if answer is None else PriceOutcome(item, answer.updated, answer.errors)


def _name_of(index: int, item: PriceItem) -> str | int:
    name = item.offer_id or item.product_id
    if not name or (item.offer_id and item.product_id):
        raise ValueError(f"items[{index}]: expected either offer_id or product_id")
    return name


def _wire(index: int, item: PriceItem) -> dict[str, Any]:
    if not item.currency_code:
        raise ValueError(f"items[{index}].currency_code is empty")
    wire: dict[str, Any] = {"offer_id": item.offer_id} if item.offer_id else {"product_id": item.product_id}
    wire["price"] = _amount(f"items[{index}].price", item.price)
    if item.old_price is not None:
        wire["old_price"] = _amount(f"items[{index}].old_price", item.old_price, may_be_zero=True)
    if item.min_price is not None:
        wire["min_price"] = _amount(f"items[{index}].min_price", item.min_price)
    wire["currency_code"] = item.currency_code
    return wire


def _amount(field: str, amount: Decimal, *, may_be_zero: bool = False) -> str:
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise ValueError(f"{field} must be a finite Decimal, not {amount!r}")
    if amount < 0 or (amount == 0 and not may_be_zero):
        raise ValueError(f"{field} must be above zero, not {amount}")
    if amount > MOST_MONEY or amount != round(amount, 2):
        raise ValueError(f"{field} must have at most two decimals and twelve digits, not {amount}")
    return f"{amount:f}"
