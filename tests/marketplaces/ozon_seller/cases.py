"""The smallest rows that the client accepts; a test changes the field it is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.marketplaces.ozon_seller.price_import import PriceItem


def rouble_price(price: str = "1448", **other: Any) -> PriceItem:
    return PriceItem(**{"offer_id": "A-1", "price": Decimal(price), "currency_code": "RUB", **other})


def product_ref(number: int, **other: Any) -> dict[str, Any]:
    return {"product_id": number, "offer_id": f"A-{number}", **other}


def product(number: int, **other: Any) -> dict[str, Any]:
    return {"id": number, "offer_id": f"A-{number}", **other}


def price(number: int, **other: Any) -> dict[str, Any]:
    return {"product_id": number, "offer_id": f"A-{number}", "price": {"price": 100, "currency_code": "RUB"}, **other}


def posting(number: str = "1-1-1", **other: Any) -> dict[str, Any]:
    line = {"sku": 77, "offer_id": "A-1", "quantity": 2, "price": {"amount": "85.00", "currency": "RUB"}}
    return {
        "posting_number": number,
        "order_number": number.rpartition("-")[0],
        "status": "delivered",
        "in_process_at": "2026-05-11T00:00:07Z",
        "products": [line],
        **other,
    }
