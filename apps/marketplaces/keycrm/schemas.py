"""Rows of KeyCRM, as it sends them: shapes that vary are one shape here, and what is not read is dropped.

Moments come as ISO 8601 or as `YYYY-MM-DD HH:MM:SS`, which is UTC; money comes as a number or as a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from apps.marketplaces.fields import ApiRow, EmptyList, Id, MaybeId, MaybeMoment, MaybeMoney, Money, Text, is_absent


def _texts(value: Any) -> list[str]:
    """One text, several, or none: a buyer's phone is a string in an order and a list in the list of buyers."""
    several = value if isinstance(value, list) else [value]
    if not all(one is None or isinstance(one, str | int) for one in several):
        raise ValueError("expected a text or a list of texts")
    return [str(one) for one in several if not is_absent(one)]


def _object(value: Any) -> Any:
    """PHP says `[]` where an object has nothing in it."""
    return None if value == [] else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
MaybeObject = BeforeValidator(_object)


# Orders


class OfferRef(ApiRow):
    """The variant that a line sold; `product_id` is the product whose variant it is."""

    offer_id: Id = Field(alias="id")
    product_id: MaybeId = None
    sku: Text = ""


class OrderProduct(ApiRow):
    """A line. `offer` is None for one-off goods; the quantity may be a fraction ("кг")."""

    name: Text = ""
    sku: Text = ""
    price: MaybeMoney = None
    price_sold: MaybeMoney = None
    purchased_price: MaybeMoney = None
    quantity: Money
    offer: Annotated[OfferRef | None, MaybeObject] = None


class OrderExpense(ApiRow):
    expense_id: Id = Field(alias="id")
    expense_type_id: MaybeId = None
    amount: Money
    status: Text = ""
    payment_date: MaybeMoment = None


class OrderPayment(ApiRow):
    """What a buyer has paid, or is to pay: `status` is paid, not_paid or canceled."""

    payment_id: Id = Field(alias="id")
    amount: Money
    actual_currency: Text = ""
    status: Text = ""


class Buyer(ApiRow):
    buyer_id: Id = Field(alias="id")
    full_name: Text = ""
    phone: Texts = ()
    email: Texts = ()


class User(ApiRow):
    """A manager."""

    user_id: Id = Field(alias="id")
    full_name: Text = ""
    status: Text = ""


class Status(ApiRow):
    """`group_id`: 1 new, 2 agreement, 3 production, 4 delivery, 5 done, 6 lost; the ids are each account's own."""

    status_id: Id = Field(alias="id")
    name: Text = ""
    group_id: MaybeId = None


class Order(ApiRow):
    """An order. `products`, `payments` and `expenses` are None where they were not asked for. There is no currency: the
    source has one. `updated_at` does not move when only the status changes."""

    order_id: Id = Field(alias="id")
    source_id: MaybeId = None
    status_id: MaybeId = None
    status_group_id: MaybeId = None
    grand_total: Money
    created_at: MaybeMoment = None
    ordered_at: MaybeMoment = None
    updated_at: MaybeMoment = None
    status_changed_at: MaybeMoment = None
    deleted_at: MaybeMoment = None
    status: Annotated[Status | None, MaybeObject] = None
    manager: Annotated[User | None, MaybeObject] = None
    buyer: Annotated[Buyer | None, MaybeObject] = None
    products: tuple[OrderProduct, ...] | None = None
    payments: tuple[OrderPayment, ...] | None = None
    expenses: tuple[OrderExpense, ...] | None = None

    @property
    def group_id(self) -> int | None:
        """The group of its status, from wherever it is told."""
        return self.status_group_id or (self.status.group_id if self.status else None)


# Goods


class CustomField(ApiRow):
    uuid: Text = ""
    name: Text = ""
    value: Annotated[tuple[str, ...], BeforeValidator(_texts)] = ()


class Product(ApiRow):
    """A product with its variants; without any (`has_offers` False) it has itself what a variant would have."""

    product_id: Id = Field(alias="id")
    name: Text = ""
    sku: Text = ""
    price: MaybeMoney = None
    currency_code: Text = ""
    has_offers: bool | None = None
    category_id: MaybeId = None
    is_archived: bool | None = None
    custom_fields: Annotated[tuple[CustomField, ...], EmptyList] = ()

    def field(self, *names: str) -> str:
        """The first value of the custom field that is called by one of `names`, by its uuid or its name."""
        return first_value(self.custom_fields, names)


class Property(ApiRow):
    name: Text = ""
    value: Text = ""


class OfferProduct(ApiRow):
    product_id: Id = Field(alias="id")
    name: Text = ""
    currency_code: Text = ""


class Offer(ApiRow):
    """A variant: what is sold."""

    offer_id: Id = Field(alias="id")
    product_id: Id
    sku: Text = ""
    price: MaybeMoney = None
    purchased_price: MaybeMoney = None
    properties: Annotated[tuple[Property, ...], EmptyList] = ()
    product: Annotated[OfferProduct | None, MaybeObject] = None


class WarehouseStock(ApiRow):
    warehouse_id: Id = Field(alias="id")
    name: Text = ""
    quantity: Money
    reserve: MaybeMoney = None


class OfferStock(ApiRow):
    """Units of a variant; `warehouse` says where, when the details were asked for."""

    offer_id: Id = Field(alias="id")
    sku: Text = ""
    quantity: Money
    reserve: MaybeMoney = None
    warehouse: Annotated[tuple[WarehouseStock, ...], EmptyList] = ()


class Category(ApiRow):
    category_id: Id = Field(alias="id")
    name: Text = ""
    parent_id: MaybeId = None


# Directories


class Source(ApiRow):
    source_id: Id = Field(alias="id")
    name: Text = ""
    currency_code: Text = ""


class ExpenseType(ApiRow):
    """`name` may be a key of KeyCRM's own dictionaries; then the alias says what it is."""

    type_id: Id = Field(alias="id")
    name: Text = ""
    alias: Text = ""


def first_value(fields: Iterable[CustomField], names: Iterable[str]) -> str:
    """Names are compared as people write them: without regard to case."""
    wanted = {name.casefold() for name in names if name}
    found = (one.value for one in fields if {one.uuid.casefold(), one.name.casefold()} & wanted)
    return next((value[0] for value in found if value), "")
