"""Accruals of the imitated Seller API: what the seller was paid and charged for, day by day.

A posting is paid on the day of its delivery, less commission and services; what a buyer sends back is taken back on the
day of the return. Every day a few products are charged for their place in the warehouse, and on Mondays the shop for
its subscription. One service has a type that the directory does not know, as happens when OZON adds one.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from apps.marketplaces.standins.demand import COMMISSION
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.money import amount, of_roubles
from apps.marketplaces.standins.ozon_seller.posting_rows import posting_number
from apps.marketplaces.standins.postings import NEVER
from apps.marketplaces.standins.world import START, World

MOST_ROWS = 1000
FIRST_DATE = date(2022, 1, 1)
ACQUIRING, LOGISTIC, PLACEMENT, SUBSCRIPTION, RETURN_FLOW, NOT_IN_THE_DIRECTORY = 1, 32, 46, 52, 59, 990
TYPES = {
    ACQUIRING: "Acquiring",
    9: "ClientReturn",
    29: "LastMileCourier",
    LOGISTIC: "Logistic",
    PLACEMENT: "Placements",
    SUBSCRIPTION: "PremiumSubscription",
    RETURN_FLOW: "ReturnFlowLogistic",
}
PLACE_KOPECKS, SUBSCRIPTION_KOPECKS, SPECIAL_KOPECKS = 1_50, 990_00, 3_00
IDS_A_DAY = 1_000_000
PLACES, WEEKLY = 800_000, 900_000  # where the ids of the day's other accruals begin


def accruals(ask: Ask) -> dict[str, Any]:
    """POST /v1/finance/accrual/by-day; a day that has not ended has none yet."""
    ask.only("date", "last_id")
    if "last_id" not in ask.fields:
        raise invalid(f"invalid {ask.message}.LastId: value is required")
    day = _day_of(ask)
    rows = list(_rows(ask.world, day)) if day < ask.world.day else []
    page = ask.page(len(rows), most=MOST_ROWS, cursor="last_id", fixed=True)
    return {"accruals": rows[page.start : page.stop], "last_id": page.cursor}


def accrual_types(ask: Ask) -> dict[str, Any]:
    """POST /v1/finance/accrual/types"""
    ask.only()
    rows = [{"id": number, "name": name, "description": name} for number, name in TYPES.items()]
    return {"accrual_types": rows}


def _day_of(ask: Ask) -> int:
    try:
        asked = date.fromisoformat(ask.fields["date"])
    except (KeyError, TypeError, ValueError):
        raise invalid(f"invalid {ask.message}.Date: value must be a date like 2026-03-01") from None
    if asked < FIRST_DATE:
        raise invalid(f"invalid {ask.message}.Date: value must be {FIRST_DATE} or later")
    return (asked - START).days


def _rows(world: World, day: int) -> Iterator[dict[str, Any]]:
    postings = world.book.postings
    first_id = (day + 10_000) * IDS_A_DAY
    sold = np.flatnonzero(postings["delivered"] == day)
    sent_back = np.flatnonzero((postings["ended"] == day) & (postings["delivered"] < NEVER) & postings["returned"])
    for number, (place, sign) in enumerate([*((one, 1) for one in sold), *((one, -1) for one in sent_back)]):
        yield _of_posting(world, day, int(place), sign, first_id + number)
    for product in range(day % 7, world.demand.skus, 7):
        fee = {"type_id": PLACEMENT, "accrued": amount(-PLACE_KOPECKS)}
        item = {"sku": int(world.catalog.sku[product]), "fees": [fee]}
        total = -PLACE_KOPECKS
        yield _row(day, first_id + PLACES + product, "ITEM", "", total, item_fees={"fees": [item]})
    if (START + timedelta(days=day)).weekday() == 0:
        fee = {"type_id": SUBSCRIPTION, "accrued": amount(-SUBSCRIPTION_KOPECKS)}
        yield _row(day, first_id + WEEKLY, "NON_ITEM", "42", -SUBSCRIPTION_KOPECKS, non_item_fee=fee)


def _of_posting(world: World, day: int, place: int, sign: int, accrual_id: int) -> dict[str, Any]:
    posting = world.book.postings[place]
    first = int(world.book.first_line[place])
    lines = world.book.lines[first : first + int(posting["lines"])].tolist()
    products = [_product(world, line, sign) for line in lines]
    total = sum(kopecks for _, kopecks in products)
    body = {"delivery_schema": "FBS" if posting["fbs"] else "FBO", "delivery_speed": 24}
    rows = [row for row, _ in products]
    number = posting_number(world, posting)
    return _row(day, accrual_id, "POSTING", number, total, posting={**body, "products": rows})


def _product(world: World, line: tuple[int, int, int, int], sign: int) -> tuple[dict[str, Any], int]:
    """A product of a posting, and what all of it comes to. Goods that come back cost their way, and refund the sale."""
    product, quantity, price, _ = line
    sale = sign * price * quantity
    commission = -round(sale * COMMISSION)
    services = _services(world, product, quantity, returned=sign < 0)
    delivery = sum(services.values())
    ratio = f"{COMMISSION:.2f}"
    row = {
        "sku": int(world.catalog.sku[product]),
        "commission": {
            "sale_amount": amount(sale),
            "seller_price": amount(sign * price),
            "sale_price": amount(sign * price),
            "sale_commission": amount(commission),
            "commission": amount(commission),
            "commission_ratio": ratio,
            "bonus": amount(0),
            "coinvestment": amount(0),
        },
        "delivery": {
            "total_accrued": amount(delivery),
            "services": [{"type_id": kind, "accrued": amount(kopecks)} for kind, kopecks in services.items()],
        },
    }
    return row, sale + commission + delivery


def _services(world: World, product: int, quantity: int, *, returned: bool) -> dict[int, int]:
    logistics = of_roubles(world.demand.logistics[product] - world.demand.acquiring[product])
    if returned:
        return {RETURN_FLOW: -logistics * quantity}
    services = {LOGISTIC: -logistics * quantity, ACQUIRING: -of_roubles(world.demand.acquiring[product]) * quantity}
    return services | ({NOT_IN_THE_DIRECTORY: -SPECIAL_KOPECKS} if product % 10 == 3 else {})


def _row(day: int, accrual_id: int, category: str, unit: str, total: int, **parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "accrual_id": accrual_id,
        "accrued_category": category,
        "date": (START + timedelta(days=day)).isoformat(),
        "unit_number": unit,
        "total_amount": amount(total),
        "posting": None,
        "item_fees": None,
        "non_item_fee": None,
        **parts,
    }
