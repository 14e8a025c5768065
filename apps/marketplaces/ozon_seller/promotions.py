"""Rows of OZON's promotions, which its API calls actions: GET /v1/actions and /v2/actions/products."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from apps.marketplaces.fields import ApiRow, Count, Id, MaybeMoment, SetMoney, Text

PATH = "/v1/actions"


class Promotion(ApiRow):
    """A promotion that the seller may take part in.

    Where it has a `freeze_date`, prices of its products may be lowered and not raised. One without an end has a
    `date_end` in the year 9999.
    """

    promotion_id: Id = Field(alias="id")
    title: Text = ""
    action_type: Text = ""
    date_start: MaybeMoment = None
    date_end: MaybeMoment = None
    freeze_date: MaybeMoment = None
    is_participating: bool | None = None
    participating_products_count: Count = 0


class PromotionProduct(ApiRow):
    """A product that takes part: `action_price` is what it sells at there, `max_action_price` the most it may.

    `add_mode` says who put it in, SELLER or AUTO. `currency` is that of the amounts.
    """

    product_id: Id = Field(alias="id")
    price: SetMoney = None
    action_price: SetMoney = None
    max_action_price: SetMoney = None
    add_mode: Text = ""
    currency: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _currency_of_the_amounts(cls, value: Any) -> Any:
        price = value.get("action_price") if isinstance(value, dict) else None
        return {**value, "currency": price.get("currency")} if isinstance(price, dict) else value
