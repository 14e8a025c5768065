"""OZON's prices and fees in our terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.catalog.prices import price_columns
from apps.marketplaces.ozon_seller.schemas import ProductPrice

FEES: dict[str, Any] = {
    "sales_percent_fbo": 30,
    "sales_percent_fbs": Decimal("34.5"),
    "fbo_direct_flow_trans_min_amount": 60,
    "fbo_direct_flow_trans_max_amount": 71,
    "fbo_deliv_to_customer_amount": 25,
    "fbo_return_flow_amount": 66,
    "fbs_first_mile_min_amount": 10,
    "fbs_first_mile_max_amount": 30,
    "fbs_direct_flow_trans_min_amount": 80,
    "fbs_direct_flow_trans_max_amount": 80,
    "fbs_deliv_to_customer_amount": 25,
    "fbs_return_flow_amount": 0,
}


def price_row(fees: dict[str, Any] = FEES, **price: Any) -> ProductPrice:
    prices = {"price": 1597, "old_price": 1917, "min_price": 0, "vat": Decimal("0.22"), "currency_code": "RUB", **price}
    return ProductPrice.model_validate(
        {"product_id": 1, "offer_id": "A", "acquiring": Decimal("30.34"), "price": prices, "commissions": fees}
    )


def test_percents_become_fractions() -> None:
    columns = price_columns(price_row())

    assert columns.fbo_commission_rate == Decimal("0.3")
    assert columns.fbs_commission_rate == Decimal("0.345")
    assert columns.vat_rate == Decimal("0.22")


def test_logistics_are_the_middle_of_their_range_and_the_delivery() -> None:
    columns = price_columns(price_row())

    assert columns.fbo_logistics == Decimal("65.5") + 25
    assert columns.fbs_logistics == 20 + 80 + 25
    assert columns.fbo_return_logistics == 66
    assert columns.fbs_return_logistics == 0, "told to be nothing, which is not unknown"


@pytest.mark.parametrize(
    ("missing", "column"),
    [
        ("fbo_direct_flow_trans_max_amount", "fbo_logistics"),
        ("fbo_deliv_to_customer_amount", "fbo_logistics"),
        ("fbs_first_mile_min_amount", "fbs_logistics"),
        ("sales_percent_fbo", "fbo_commission_rate"),
        ("fbo_return_flow_amount", "fbo_return_logistics"),
    ],
)
def test_what_is_not_told_stays_unknown(missing: str, column: str) -> None:
    fees = {name: value for name, value in FEES.items() if name != missing}

    assert getattr(price_columns(price_row(fees)), column) is None


def test_a_price_that_is_not_set_is_none() -> None:
    columns = price_columns(price_row(price=0, old_price=0))

    assert (columns.price, columns.old_price, columns.min_price) == (None, None, None)
    assert columns.acquiring == Decimal("30.34")
