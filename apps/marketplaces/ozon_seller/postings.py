"""Postings of the OZON Seller API, FBO and FBS in one shape: customers and addressees are dropped when read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from apps.marketplaces.fields import (
    ApiRow,
    Count,
    EmptyList,
    Id,
    MaybeId,
    MaybeMoment,
    MaybeMoney,
    Money,
    Name,
    Text,
)


class Price(ApiRow):
    """{"amount": "85", "currency": "RUB"}; lists of older methods send the bare amount."""

    amount: Money
    currency: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_amount(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"amount": value}


class PostingLine(ApiRow):
    sku: Id
    offer_id: Text = ""
    name: Text = ""
    quantity: Annotated[Count, Field(ge=1)]
    price: Price
    is_marketplace_buyout: bool | None = None


class LineCommission(ApiRow):
    amount: MaybeMoney = None
    percent: MaybeMoney = None
    currency: Text = ""


class FinancialLine(ApiRow):
    """`sku` comes under the name `product_id`, but it is the SKU."""

    sku: Id = Field(alias="product_id")
    price: MaybeMoney = None
    old_price: MaybeMoney = None
    payout: MaybeMoney = None
    total_discount_value: MaybeMoney = None
    commission: LineCommission | None = None


class PostingFinance(ApiRow):
    cluster_from: Text = ""
    cluster_to: Text = ""
    products: Annotated[tuple[FinancialLine, ...], EmptyList] = ()


class PostingAnalytics(ApiRow):
    """Where it is sent from. FBO says `warehouse_name`, FBS `warehouse`."""

    warehouse_id: MaybeId = None
    warehouse_name: Text = ""
    delivery_type: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _one_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and "warehouse_name" not in value:
            return {**value, "warehouse_name": value.get("warehouse")}
        return value


class Cancellation(ApiRow):
    cancel_reason_id: MaybeId = None
    cancellation_type: Text = ""
    cancellation_initiator: Text = ""
    cancelled_after_ship: bool | None = None


class Posting(ApiRow):
    """A posting of /v3/posting/fbo/list or /v4/posting/fbs/list, without anything about the buyer.

    `in_process_at` is the moment of the sale; a posting that is not processed yet has none. `created_at` comes with FBO
    only, `shipment_date` and `delivering_date` with FBS only. A posting without lines is a bad row.
    """

    posting_number: Name
    order_id: MaybeId = None
    order_number: Name
    status: Name
    substatus: Text = ""
    created_at: MaybeMoment = None
    in_process_at: MaybeMoment = None
    shipment_date: MaybeMoment = None
    delivering_date: MaybeMoment = None
    cancel_reason_id: MaybeId = None
    cancellation: Cancellation | None = None
    products: tuple[PostingLine, ...] = Field(min_length=1)
    analytics_data: PostingAnalytics | None = None
    financial_data: PostingFinance | None = None
