"""The imitated KeyCRM as a stand-in of the frame, under `/keycrm/v1`: its gate, its pages and its filters.

POST   /keycrm/_orders                {fields of a row} -> {id}: an order entered now
POST   /keycrm/_orders/{id}           {fields of a row}: changed without moving `updated_at`
DELETE /keycrm/_orders/{id}           gone from the lists, 404 by its id
GET    /keycrm/_orders/{id}/webhook   what the shop's trigger sends of it
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeAlias
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.frame import Endpoint, Imitated, Incoming, StandIn
from apps.marketplaces.standins.keycrm.rows import buyer_row, order_row, user_row, webhook_body
from apps.marketplaces.standins.keycrm.shop import EXPENSE_TYPES, MANAGERS, SOURCES, STATUSES, CrmShop

PREFIX = "/keycrm/v1"
DEFAULT_LIMIT, MOST = 15, 50
LIST_FAULTS = frozenset({Kind.HALF_PAGE, Kind.REPEATED_CURSOR, Kind.EMPTY_200, Kind.ODD_ROW, Kind.REVOKED_KEY})
ONE_FAULTS = frozenset({Kind.REVOKED_KEY})
ORDER_PARTS = frozenset(
    {
        *("buyer", "products", "products.offer", "manager", "tags", "status", "marketing", "payments", "expenses"),
        *("shipping", "shipping.lastHistory", "shipping.deliveryService", "custom_fields", "assigned", "attachments"),
    }
)
MOMENTS = frozenset({"ordered_at", "updated_at", "status_changed_at"})

Row: TypeAlias = dict[str, Any]


@dataclass
class Account:
    """A shop's key. `calls_a_minute` None: it is not counted how often it calls."""

    api_key: str
    shop: CrmShop
    calls_a_minute: int | None = None
    calls: deque[float] = field(default_factory=deque)  # real moments of the last minute


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after

    def response(self) -> Response:
        return error(self.status, self.retry_after, self.message)


def error(status: int, retry_after: int | None, message: str = "") -> Response:
    """KeyCRM's wording of an error, scripted ones included."""
    if status == 502:
        return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", status_code=502)
    words = message or {429: "Too Many Attempts."}.get(status, "Server Error")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return answered({"message": words}, status, headers)


def answered(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


@dataclass(frozen=True)
class Listing:
    """A list: how many rows there are and how to make some of them; which filters and parts may be asked for."""

    path: str
    rows: Callable[[CrmShop, dict[str, str], frozenset[str]], tuple[int, Callable[[slice], list[Row]]]]
    filters: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()


class KeyCrm:
    """Every shop behind one address; the key decides whose orders are told."""

    def __init__(self, accounts: Iterable[Account], *, seconds: Callable[[], float] = monotonic) -> None:
        self.accounts = {account.api_key: account for account in accounts}
        self._seconds = seconds

    def stand_in(self) -> StandIn:
        return StandIn(
            name="keycrm",
            routes=(
                *(
                    Imitated(f"keycrm:{one.path}", PREFIX + one.path, self._list(one), ("GET",), plays=LIST_FAULTS)
                    for one in LISTS
                ),
                Imitated("keycrm:/order/{id}", PREFIX + "/order/{order_id:int}", self._one, ("GET",), plays=ONE_FAULTS),
                Imitated("keycrm:no such route", PREFIX + "/{rest:path}", self._unknown, ("GET", "POST", "PUT")),
            ),
            error=error,
            controls=tuple(self._controls()),
        )

    def _list(self, listing: Listing) -> Endpoint:
        async def endpoint(call: Incoming) -> Response:
            try:
                shop = self._admit(call)
                return answered(_page(listing, shop, call))
            except Refused as refused:
                return refused.response()

        return endpoint

    async def _one(self, call: Incoming) -> Response:
        try:
            return answered(_order(self._admit(call), call))
        except Refused as refused:
            return refused.response()

    async def _unknown(self, call: Incoming) -> Response:
        return Refused(404, "Not found").response()

    def _admit(self, call: Incoming) -> CrmShop:
        key = call.request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self.accounts.get(key)
        if account is None or call.suffers(Kind.REVOKED_KEY):
            raise Refused(401, "Unauthenticated.")
        self._count(account)
        return account.shop

    def _count(self, account: Account) -> None:
        now = self._seconds()
        while account.calls and account.calls[0] <= now - 60:
            account.calls.popleft()
        if account.calls_a_minute is not None and len(account.calls) >= account.calls_a_minute:
            raise Refused(429, "Too Many Attempts.", retry_after=max(1, round(60 - (now - account.calls[0]))))
        account.calls.append(now)

    # Controls

    def _controls(self) -> list[BaseRoute]:
        return [
            Route("/keycrm/_orders", self._place, methods=["POST"]),
            Route("/keycrm/_orders/{order_id:int}", self._edit, methods=["POST"]),
            Route("/keycrm/_orders/{order_id:int}", self._delete, methods=["DELETE"]),
            Route("/keycrm/_orders/{order_id:int}/webhook", self._webhook, methods=["GET"]),
        ]

    @property
    def _first(self) -> CrmShop:
        return next(iter(self.accounts.values())).shop

    async def _place(self, request: Request) -> Response:
        return answered({"id": self._first.place(**_edits(await request.json()))})

    async def _edit(self, request: Request) -> Response:
        self._first.edit(request.path_params["order_id"], **_edits(await request.json()))
        return answered({})

    async def _delete(self, request: Request) -> Response:
        self._first.delete(request.path_params["order_id"])
        return answered({})

    async def _webhook(self, request: Request) -> Response:
        return answered(webhook_body(self._first, request.path_params["order_id"]))


def _edits(fields: Row) -> Row:
    return {name: datetime.fromisoformat(value) if name in MOMENTS else value for name, value in fields.items()}


def _order(shop: CrmShop, call: Incoming) -> Row:
    order_id = int(call.request.path_params["order_id"])
    if not shop.exists(order_id):
        raise Refused(404, f"No query results for model [Order] {order_id}")
    return order_row(shop, order_id, _parts(call.fields, ORDER_PARTS))


# Pages


def _page(listing: Listing, shop: CrmShop, call: Incoming) -> Row:
    fields = {name: str(value) for name, value in call.fields.items()}
    limit, page = min(_number(fields, "limit", DEFAULT_LIMIT), MOST), _number(fields, "page", 1)
    total, make = listing.rows(shop, _filters(fields, listing.filters), _parts(fields, listing.parts))
    if call.suffers(Kind.EMPTY_200):
        total = 0
    last = max(-(-total // limit), 1)
    rows = make(slice((page - 1) * limit, page * limit)) if total else []
    if call.suffers(Kind.HALF_PAGE):
        rows = rows[: len(rows) // 2]
    if call.suffers(Kind.ODD_ROW) and rows:
        rows[len(rows) // 2] |= {"id": None}
    following = page if call.suffers(Kind.REPEATED_CURSOR) else page + 1

    def address(number: int) -> str:
        query = urlencode({**fields, "page": str(number)})
        return f"https://openapi.keycrm.app/v1{listing.path}?{query}"

    return {
        "total": total,
        "current_page": page,
        "per_page": limit,
        "data": rows,
        "first_page_url": address(1),
        "last_page_url": address(last),
        "next_page_url": address(following) if page < last else None,
        "last_page": last,
    }


def _number(fields: dict[str, str], name: str, default: int) -> int:
    value = fields.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise Refused(422, f"The {name} must be at least 1.")
    return int(value)


def _filters(fields: dict[str, str], allowed: frozenset[str]) -> dict[str, str]:
    wanted = {name[7:-1]: value for name, value in fields.items() if name.startswith("filter[")}
    unknown = sorted(set(wanted) - allowed)
    if unknown:
        names = ", ".join(sorted(allowed))
        raise Refused(400, f"Requested filter(s) `{unknown[0]}` are not allowed. Allowed filter(s) are `{names}`.")
    return wanted


def _parts(fields: Row, allowed: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(filter(None, str(fields.get("include", "")).split(",")))
    unknown = sorted(wanted - allowed)
    if unknown:
        names = ", ".join(sorted(allowed))
        raise Refused(400, f"Requested include(s) `{unknown[0]}` are not allowed. Allowed include(s) are `{names}`.")
    return wanted


def _between(filters: dict[str, str], name: str) -> tuple[datetime, datetime] | None:
    """Two moments, or two days of which the last is meant whole, in UTC."""
    if name not in filters:
        return None
    parts = [part.strip() for part in filters[name].split(",")]
    try:
        first, last = (datetime.fromisoformat(part).replace(tzinfo=UTC) for part in parts)
    except ValueError as error:
        raise Refused(422, f"The {name} is not two moments.") from error
    return first, last + timedelta(days=1, seconds=-1) if len(parts[1]) == 10 else last


def _whole_numbers(filters: dict[str, str], name: str) -> frozenset[int]:
    return frozenset(int(part) for part in filters.get(name, "").split(",") if part.strip().isdecimal())


# Lists


def _orders(
    shop: CrmShop, filters: dict[str, str], include: frozenset[str]
) -> tuple[int, Callable[[slice], list[Row]]]:
    ids = shop.ids(
        created=_between(filters, "created_between"),
        updated=_between(filters, "updated_between"),
        sources=_whole_numbers(filters, "source_id"),
        statuses=_whole_numbers(filters, "status_id"),
    )
    return len(ids), lambda part: [order_row(shop, order_id, include) for order_id in ids[part].tolist()]


def _of(rows: Sequence[Row]) -> tuple[int, Callable[[slice], list[Row]]]:
    return len(rows), lambda part: [dict(row) for row in rows[part]]


def _products(
    shop: CrmShop, filters: dict[str, str], include: frozenset[str]
) -> tuple[int, Callable[[slice], list[Row]]]:
    def make(part: slice) -> list[Row]:
        rows = [shop.goods.product(number) for number in range(1, shop.goods.count + 1)[part]]
        return rows if "custom_fields" in include else [{**row, "custom_fields": None} for row in rows]

    return shop.goods.count, make


def _offers(
    shop: CrmShop, filters: dict[str, str], include: frozenset[str]
) -> tuple[int, Callable[[slice], list[Row]]]:
    offers = shop.goods.offers
    return len(offers), lambda part: [
        shop.goods.offer(offer, with_product="product" in include) for offer in offers[part]
    ]


def _stocks(
    shop: CrmShop, filters: dict[str, str], include: frozenset[str]
) -> tuple[int, Callable[[slice], list[Row]]]:
    offers, details = shop.goods.offers, filters.get("details") in ("true", "1")
    return len(offers), lambda part: [shop.goods.stock(offer, details=details) for offer in offers[part]]


def _buyers(
    shop: CrmShop, filters: dict[str, str], include: frozenset[str]
) -> tuple[int, Callable[[slice], list[Row]]]:
    count = max(shop.orders * 6 // 10, 10)
    return count, lambda part: [buyer_row(number) for number in range(1, count + 1)[part]]


ORDER_FILTERS = frozenset({"created_between", "updated_between", "source_id", "status_id", "source_uuid"})
LISTS = (
    Listing("/order", _orders, ORDER_FILTERS, ORDER_PARTS),
    Listing(
        "/products", _products, frozenset({"product_id", "category_id", "is_archived"}), frozenset({"custom_fields"})
    ),
    Listing("/products/categories", lambda shop, *_: _of(shop.goods.categories)),
    Listing("/offers", _offers, frozenset({"id", "product_id", "sku", "is_archived"}), frozenset({"product"})),
    Listing("/offers/stocks", _stocks, frozenset({"offers_id", "offers_sku", "details"})),
    Listing("/buyer", _buyers, frozenset({"buyer_id", "created_between", "updated_between"})),
    Listing("/users", lambda *_: _of([user_row(number) for number in MANAGERS])),
    Listing("/order/source", lambda *_: _of(SOURCES)),
    Listing("/order/status", lambda *_: _of([one for one in STATUSES if one["is_active"]])),
    Listing("/order/expense-type", lambda *_: _of(EXPENSE_TYPES)),
)
