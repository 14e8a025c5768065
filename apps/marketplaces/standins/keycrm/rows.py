"""Rows of the imitated KeyCRM, with the habits of the real one: dates and money each in two forms, fields that vary."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.marketplaces.standins.keycrm.chance import draw
from apps.marketplaces.standins.keycrm.shop import EXTRAS, GROUPS, STATUSES, CrmShop

ONE_OFF = 97  # one line of so many is of goods that the catalogue does not have
SHIPPING = Decimal(70)
UNPAID = 19  # of so many orders one is not paid yet, and one in part
STATUS_ROWS = {one["id"]: one for one in STATUSES}


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def naive(moment: datetime) -> str:
    """The other form, in UTC as well."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def order_row(shop: CrmShop, order_id: int, include: frozenset[str]) -> dict[str, Any]:
    """A row of /order: only what is included is there."""
    edits = shop.edited.get(order_id, {})
    status_id, since = shop.status(order_id)
    source_id = edits.get("source_id", shop.source(order_id))
    manager_id = edits.get("manager_id", shop.manager(order_id, source_id))
    buyer_id = edits.get("buyer_id", shop.buyer(order_id))
    status_id = edits.get("status_id", status_id)
    lines = edits["products"] if "products" in edits else _lines(shop, order_id)
    extras = draw(shop.seed, order_id, EXTRAS)
    shipping = SHIPPING if extras % 3 == 0 else Decimal(0)
    total = sum((Decimal(str(line["price_sold"])) * Decimal(str(line["quantity"])) for line in lines), shipping)
    expenses = _expenses(shop, order_id, total, since)
    payments = _payments(order_id, total, extras // 64)
    row: dict[str, Any] = {
        "id": order_id,
        "source_uuid": f"{source_id}-{order_id}",
        "global_source_uuid": None,
        "source_id": source_id,
        "client_id": buyer_id,
        "manager_id": manager_id,
        "grand_total": str(total) if extras % 2 else float(total),
        "total_discount": 0,
        "expenses_sum": float(sum(Decimal(str(one["amount"])) for one in expenses)),
        "shipping_price": f"{shipping:.2f}" if shipping else None,
        "taxes": "0.00",
        "fiscal_result": [],
        "discount_data": [] if extras % 5 else {},
        "status_id": status_id,
        "status_group_id": edits.get("status_group_id", GROUPS.get(status_id)),
        "status_changed_at": iso(edits.get("status_changed_at", since)),
        "payment_status": _payment_status(total, payments),
        "manager_comment": None,
        "created_at": iso(shop.entered_at(order_id)),
        "updated_at": iso(shop.updated_at(order_id)),
        "ordered_at": iso(shop.ordered_at(order_id)),
        "closed_at": naive(since) if GROUPS.get(status_id) in (5, 6) else None,
        "deleted_at": None,
    }
    row |= {name: edits[name] for name in ("grand_total",) if name in edits}
    if include & {"products", "products.offer"}:
        row["products"] = lines if "products.offer" in include else [_without_offer(line) for line in lines]
    if "buyer" in include:
        row["buyer"] = None if buyer_id is None else _buyer_of_order(buyer_id)
    if "manager" in include:
        row["manager"] = None if manager_id is None else user_row(manager_id)
    if "status" in include:
        row["status"] = STATUS_ROWS.get(status_id) or {"id": status_id, "name": None, "group_id": None}
    if "payments" in include:
        row["payments"] = edits.get("payments", payments)
    if "expenses" in include:
        row["expenses"] = edits.get("expenses", expenses)
    return row


def buyer_row(buyer_id: int) -> dict[str, Any]:
    """A row of /buyer: several phones and addresses, in lists."""
    return {**_buyer_of_order(buyer_id), "phone": [_phone(buyer_id)], "email": [_email(buyer_id)]}


def user_row(user_id: int) -> dict[str, Any]:
    name = f"Менеджер {user_id}"
    email = f"manager{user_id}@example.com"
    return {"id": user_id, "full_name": name, "username": f"manager{user_id}", "email": email, "status": "active"}


def webhook_body(shop: CrmShop, order_id: int, event: str = "order.change_order_status") -> dict[str, Any]:
    """What a trigger of the imitated shop sends of an order: its row, without anything included."""
    return {"event": event, "context": order_row(shop, order_id, frozenset())}


def _lines(shop: CrmShop, order_id: int) -> list[dict[str, Any]]:
    lines = []
    for position, (offer, price, quantity) in enumerate(shop.cart(order_id)):
        one_off = (order_id * 3 + position) % ONE_OFF == 0
        lines.append(
            {
                "id": order_id * 10 + position,
                "name": "Подарунковий пакет" if one_off else shop.goods.name(offer.product_id),
                "sku": None if one_off else offer.sku,
                "price": float(offer.price),
                "price_sold": str(price) if position % 2 else float(price),
                "purchased_price": 0 if one_off else float(offer.cost),
                "quantity": quantity,
                "unit_type": None,
                "picture": {"thumbnail": f"https://cdn.example.com/{offer.product_id}.webp"},
                "properties": [],
                "offer": None if one_off else shop.goods.offer(offer, with_product=False),
            }
        )
    return lines


def _without_offer(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "offer"}


def _expenses(shop: CrmShop, order_id: int, total: Decimal, since: datetime) -> list[dict[str, Any]]:
    """None, one or two: delivery, and what the bank takes."""
    chance = draw(shop.seed, order_id, EXTRAS) // 16
    fee = (total * 2 / 100).quantize(Decimal("0.01"))
    rows = [(1, Decimal(55 + chance % 40)), (2, fee)][: chance % 3]
    paid_at = naive(since + timedelta(hours=1))
    return [
        {
            "id": order_id * 10 + place,
            "expense_type_id": type_id,
            "amount": str(amount) if place else float(amount),
            "status": "paid",
            "payment_date": paid_at,
        }
        for place, (type_id, amount) in enumerate(rows)
    ]


def _payments(order_id: int, total: Decimal, chance: int) -> list[dict[str, Any]]:
    """Most have paid at once; some a part, with the rest to come; some nothing yet."""
    if chance % UNPAID == 1:
        return []
    deposit = (total / 4).quantize(Decimal("0.01"))
    parts = [("paid", deposit), ("not_paid", total - deposit)] if chance % UNPAID == 2 else [("paid", total)]
    return [
        {
            "id": order_id * 10 + place,
            "payment_method_id": 2,
            "amount": str(amount) if place else float(amount),
            "actual_currency": "UAH",
            "status": status,
        }
        for place, (status, amount) in enumerate(parts)
    ]


def _payment_status(total: Decimal, payments: list[dict[str, Any]]) -> str:
    paid = sum(Decimal(str(one["amount"])) for one in payments if one["status"] == "paid")
    return "paid" if paid >= total else "part_paid" if paid else "not_paid"


def _buyer_of_order(buyer_id: int) -> dict[str, Any]:
    return {
        "id": buyer_id,
        "full_name": f"Покупець {buyer_id}",
        "phone": _phone(buyer_id),
        "email": _email(buyer_id),
        "orders_sum": "0.00",
        "created_at": "2024-03-01T10:00:00.000000Z",
    }


def _phone(buyer_id: int) -> str:
    return f"+38000{buyer_id:07}"


def _email(buyer_id: int) -> str:
    return f"buyer{buyer_id}@example.com"
