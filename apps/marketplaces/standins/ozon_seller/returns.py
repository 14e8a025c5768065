"""/v1/returns/list of the imitated Seller API: a row for each line of a posting that came back.

It tells what the lists of postings do not: the day, and returns after delivery that leave the posting `delivered`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask, ids_of, moment_of
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.money import number
from apps.marketplaces.standins.ozon_seller.posting_rows import moment, order_number, posting_number
from apps.marketplaces.standins.postings import NEVER, UNDELIVERED
from apps.marketplaces.standins.world import World

MOST_ROWS = 500
LINES_A_POSTING = 100  # room in the ids
FIRST_ID = 1_000_000_000
PERIODS = ("logistic_return_date", "storage_tariffication_start_date", "visual_status_change_moment")
FILTER = (
    *(*PERIODS, "order_id", "posting_numbers", "product_name", "offer_id", "visual_status_name", "warehouse_id"),
    *("barcode", "return_schema", "compensation_status_id"),
)
LOST = [reason.reason_id for reason in UNDELIVERED]


def returns(ask: Ask) -> dict[str, Any]:
    """POST /v1/returns/list"""
    ask.only("filter", "limit", "last_id")
    limit = ask.limit(MOST_ROWS)
    after = ask.fields.get("last_id") or 0
    if isinstance(after, bool) or not isinstance(after, int):
        raise invalid(f"proto: invalid value for int64 field last_id: {after!r}")
    wanted = ask.object("filter", *FILTER)
    if sum(name in wanted for name in PERIODS) > 1:
        raise invalid("only one filter by a period may be used")
    rows = _rows(ask.world, wanted, after=0 if ask.suffers(Kind.REPEATED_CURSOR) else after)
    length = max(1, limit // 2) if ask.suffers(Kind.HALF_PAGE) else limit
    found = [] if ask.suffers(Kind.EMPTY_200) else list(islice(rows, length + 1))
    return {"returns": found[:length], "has_next": len(found) > length or ask.suffers(Kind.REPEATED_CURSOR)}


def _rows(world: World, wanted: dict[str, Any], *, after: int) -> Iterator[dict[str, Any]]:
    """What has come back so far, in the order of the ids, from the one that follows `after`."""
    numbers = set(ids_of(wanted.get("posting_numbers"), "filter.posting_numbers"))
    places = _in_period(world, wanted)
    places = places[places >= (after - FIRST_ID) // LINES_A_POSTING]
    rows = (row for place in places.tolist() for row in _of_posting(world, place))
    return (row for row in rows if row["id"] > after and (not numbers or row["posting_number"] in numbers))


def _in_period(world: World, wanted: dict[str, Any]) -> Ints:
    """Places in the book of the postings that came back; it is told at noon of the day."""
    postings = world.book.postings
    back = postings["returned"] & (postings["ended"] < world.day) & ~np.isin(postings["reason"], LOST)
    places = np.flatnonzero(back)
    period = next((wanted[name] for name in PERIODS if name in wanted), None)
    if not period:
        return places
    since, to = (moment_of(period.get(name), f"filter.{name}") for name in ("time_from", "time_to"))
    noons = world.book.noons(postings["ended"][places])
    return places[(noons >= since) & (noons <= to)]


def _of_posting(world: World, place: int) -> list[dict[str, Any]]:
    posting = world.book.postings[place]
    first = int(world.book.first_line[place])
    lines = world.book.lines[first : first + int(posting["lines"])].tolist()
    at = moment(int(world.book.noons(posting["ended"])))
    delivered = posting["delivered"] < NEVER
    return [
        {
            "id": FIRST_ID + place * LINES_A_POSTING + line,
            "company_id": 1,
            "type": "ClientReturn" if delivered else "FullReturn",
            "schema": "Fbs" if posting["fbs"] else "Fbo",
            "return_reason_name": "",
            "order_id": 30_000_000_000 + int(posting["order"]),
            "order_number": order_number(world, int(posting["order"])),
            "posting_number": posting_number(world, posting),
            "source_id": 0,
            "product": {
                "sku": int(world.catalog.sku[product]),
                "offer_id": world.catalog.offer_id[product],
                "name": world.catalog.name[product],
                "price": {"currency_code": "RUB", "price": number(price)},
                "quantity": quantity,
            },
            "logistic": {"return_date": at, "final_moment": None, "technical_return_moment": at, "barcode": ""},
            "visual": {
                "status": {"id": 3, "display_name": "Возврат принят", "sys_name": "ArrivedAtReturnPlace"},
                "change_moment": at,
            },
            "compensation_status": None,
        }
        for line, (product, quantity, price, _) in enumerate(lines)
    ]
