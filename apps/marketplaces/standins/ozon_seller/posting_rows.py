"""One posting of the book as a row of the FBO v3 and FBS v4 lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.marketplaces.standins.catalog import FBO_WAREHOUSES, FBS_WAREHOUSE, WAREHOUSES
from apps.marketplaces.standins.demand import COMMISSION, Ints
from apps.marketplaces.standins.ozon_seller.money import number, text
from apps.marketplaces.standins.postings import CANCELLED, DELIVERING, REASONS, status_codes
from apps.marketplaces.standins.world import World

STATUSES = ("awaiting_packaging", "awaiting_deliver", "delivering", "delivered", "cancelled")
FBO_SUBSTATUSES = ("posting_packing", "posting_transferring_to_delivery", "", "posting_received", "posting_canceled")
FBS_SUBSTATUSES = ("posting_created", "posting_in_carriage", "", "posting_received", "posting_canceled")
ON_ITS_WAY = ("posting_on_way_to_city", "posting_on_way_to_pickup_point", "posting_in_pickup_point")
SENT_BACK = "posting_returned_to_warehouse"
DAY = 86_400_000_000  # microseconds
PERCENT = round(100 * COMMISSION)


@dataclass(frozen=True)
class Row:
    """A posting with its lines, in plain Python values."""

    fields: dict[str, Any]
    lines: list[tuple[int, int, int, int]]  # product, quantity, price, old price
    status: int
    today: int

    @property
    def cancelled(self) -> bool:
        return self.status == CANCELLED


def order_number(world: World, order: int) -> str:
    return f"{_first_order(world) + order:010d}-{order % 89 + 1:04d}"


def order_of(world: World, number: str) -> int:
    """The order that an order or posting number belongs to, -1 when it cannot be one of this shop."""
    head = number.partition("-")[0]
    return int(head) - _first_order(world) if head.isascii() and head.isdecimal() else -1


def posting_number(world: World, posting: np.void) -> str:
    return f"{order_number(world, int(posting['order']))}-{posting['part']}"


def fbo_rows(world: World, places: Ints, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **_common(world, row, asked, FBO_SUBSTATUSES),
            "created_at": moment(row.fields["created"]),
            "cancel_reason_id": row.fields["reason"] if row.cancelled else 0,
            "cancellation": _reason(row) if row.cancelled else None,
            "products": [
                {**_product(world, line), "is_marketplace_buyout": False, "digital_codes": []} for line in row.lines
            ],
            "analytics_data": _fbo_analytics(row) if asked.get("analytics_data") else None,
            "external_order": NOT_EXTERNAL,
            "legal_info": None,
            "additional_data": [],
        }
        for row in _rows(world, places)
    ]


def fbs_rows(world: World, places: Ints, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **_common(world, row, asked, FBS_SUBSTATUSES),
            **FBS_CONSTANTS,
            "shipment_date": moment(row.fields["at"] + DAY),
            "shipment_date_without_delay": moment(row.fields["at"] + DAY),
            "delivering_date": _shipped_at(row),
            "cancellation": {
                **(_reason(row) if row.cancelled else NO_REASON),
                "cancel_reason_id": row.fields["reason"] if row.cancelled else 0,
                "cancelled_after_ship": row.cancelled and row.fields["returned"],
                "affect_cancellation_rating": False,
            },
            "products": [{**_product(world, line), **FBS_PRODUCT} for line in row.lines],
            "analytics_data": FBS_ANALYTICS if asked.get("analytics_data") else None,
        }
        for row in _rows(world, places)
    ]


def moment(microseconds: int) -> str:
    """2026-05-10T23:59:51.653736Z"""
    return f"{np.datetime64(microseconds, 'us')}Z"


def _rows(world: World, places: Ints) -> Iterator[Row]:
    postings = world.book.postings[places]
    statuses = status_codes(postings, world.day).tolist()
    firsts = world.book.first_line[places].tolist()
    names = postings.dtype.names or ()
    for values, status, first in zip(postings.tolist(), statuses, firsts, strict=True):
        fields = dict(zip(names, values, strict=True))
        yield Row(fields, world.book.lines[first : first + fields["lines"]].tolist(), status, world.day)


def _common(world: World, row: Row, asked: dict[str, Any], substatuses: tuple[str, ...]) -> dict[str, Any]:
    number = order_number(world, row.fields["order"])
    return {
        "posting_number": f"{number}-{row.fields['part']}",
        "order_number": number,
        "order_id": 30_000_000_000 + _first_order(world) + row.fields["order"],
        "status": STATUSES[row.status],
        "substatus": _substatus(row, substatuses),
        "in_process_at": moment(row.fields["at"]),
        "financial_data": _finance(world, row) if asked.get("financial_data") else None,
    }


def _substatus(row: Row, substatuses: tuple[str, ...]) -> str:
    if row.cancelled and row.fields["returned"]:
        return SENT_BACK
    if row.status == DELIVERING:
        return ON_ITS_WAY[min(row.today - row.fields["shipped"], len(ON_ITS_WAY)) - 1]
    return substatuses[row.status]


def _reason(row: Row) -> dict[str, Any]:
    reason = REASONS[row.fields["reason"]]
    return {
        "cancel_reason": reason.text,
        "cancellation_initiator": reason.initiator,
        "cancellation_type": reason.initiator.lower(),
    }


def _product(world: World, line: tuple[int, int, int, int]) -> dict[str, Any]:
    product, quantity, price, _ = line
    return {
        "sku": int(world.catalog.sku[product]),
        "offer_id": world.catalog.offer_id[product],
        "name": world.catalog.name[product],
        "quantity": quantity,
        "price": {"amount": text(price), "currency": "RUB"},
    }


def _finance(world: World, row: Row) -> dict[str, Any]:
    return {
        "cluster_from": WAREHOUSES[row.fields["place"]].cluster,
        "cluster_to": FBO_WAREHOUSES[row.fields["cluster"]].cluster,
        "products": [_line_finance(world, line) for line in row.lines],
    }


def _line_finance(world: World, line: tuple[int, int, int, int]) -> dict[str, Any]:
    product, quantity, price, old_price = line
    commission = round(price * COMMISSION)
    discount = max(old_price - price, 0)
    return {
        "product_id": int(world.catalog.sku[product]),
        "price": number(price),
        "old_price": number(old_price),
        "payout": number((price - commission) * quantity),
        "total_discount_value": number(discount),
        "total_discount_percent": round(100 * discount / old_price, 2) if old_price else 0,
        "commission": {"amount": number(commission * quantity), "percent": PERCENT, "currency": "RUB"},
        "actions": [],
    }


def _fbo_analytics(row: Row) -> dict[str, Any]:
    warehouse = WAREHOUSES[row.fields["place"]]
    named = {"warehouse_id": warehouse.warehouse_id, "warehouse_name": warehouse.name}
    return {"city": "", "delivery_type": "PVZ", "is_premium": False, "is_legal": False, **named, **PAID}


def _shipped_at(row: Row) -> str | None:
    days = row.fields["shipped"] - row.fields["day"]
    return moment(row.fields["at"] + days * DAY) if row.fields["shipped"] < row.today else None


def _first_order(world: World) -> int:
    return (10 + world.catalog.shop_number) * 10_000_000


PAID = {
    "payment_type_group_name": "Карты оплаты",
    "client_delivery_date_begin": None,
    "client_delivery_date_end": None,
}
NOT_EXTERNAL = {"is_external": False, "platform_name": ""}
NO_REASON = {"cancel_reason": "", "cancellation_initiator": "", "cancellation_type": ""}
FBS_PRODUCT: dict[str, Any] = {
    "imei": [],
    "is_blr_traceable": False,
    "is_marketplace_buyout": False,
    "product_color": "",
    "weight": 0.35,
}
FBS_ANALYTICS: dict[str, Any] = {
    "city": "Москва",
    "region": "Москва",
    "delivery_type": "PVZ",
    "is_premium": False,
    "is_legal": False,
    "tpl_provider": "Доставка Ozon",
    "tpl_provider_id": 24,
    "warehouse": FBS_WAREHOUSE.name,
    "warehouse_id": FBS_WAREHOUSE.warehouse_id,
    "delivery_date_begin": None,
    "delivery_date_end": None,
    **PAID,
}
# The buyer is invented, and here so that a reader shows that it drops him.
BUYER = {"name": "Иван Покупатель", "phone": "+70001112233"}
FBS_CONSTANTS: dict[str, Any] = {
    "addressee": {"name": BUYER["name"]},
    "customer": {**BUYER, "customer_id": 12345678, "customer_email": "ivan@example.com", "address": None},
    "available_actions": [],
    "barcodes": None,
    "delivery_method": {
        "id": FBS_WAREHOUSE.warehouse_id,
        "name": "Доставка Ozon самостоятельно, Химки",
        "tpl_provider": "Доставка Ozon",
        "tpl_provider_id": 24,
        "warehouse": FBS_WAREHOUSE.name,
        "warehouse_id": FBS_WAREHOUSE.warehouse_id,
    },
    "delivery_schema": "fbs",
    "external_order": NOT_EXTERNAL,
    "is_click_and_collect": False,
    "is_express": False,
    "is_multibox": False,
    "is_presortable": True,
    "legal_info": None,
    "multi_box_qty": 1,
    "optional": {"products_with_possible_mandatory_mark": []},
    "parent_posting_number": "",
    "pickup_code_verified_at": None,
    "prr_option": "",
    "quantum_id": 0,
    "require_blr_traceable_attrs": False,
    "requirements": {
        f"products_requiring_{what}": []
        for what in ("change_country", "country", "gtd", "imei", "jw_uin", "mandatory_mark", "rnpt")
    },
    "tariffication_steps": [],
    "tpl_integration_type": "ozon",
    "tracking_number": "",
}
