"""KeyCRM's API, to read: a method is a path, its parameters and a typed row.

Lists are iterators of pages of 50, in the order of their ids, so that what is added while they are read comes at their
end. The cursor is the number of the next page; the end is a page without a next one, never a short page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import requests
from pydantic import ValidationError
from redis import Redis

from apps.marketplaces.errors import Permanent
from apps.marketplaces.http import HttpCore, KeyWatch
from apps.marketplaces.keycrm.schemas import (
    Buyer,
    Category,
    ExpenseType,
    Offer,
    OfferStock,
    Order,
    Product,
    Source,
    Status,
    User,
)
from apps.marketplaces.paging import Model, Page, pages, parse_rows, reason_of
from apps.marketplaces.ratelimit import MINUTE, Limit, Limits, RateLimiter

API = "KeyCRM"
BASE_URL = "https://openapi.keycrm.app/v1"
CALLS_A_MINUTE = 50  # 60 are allowed
LIMIT = 50
MOST_PAGES = 1_000_000
ORDER, PRODUCTS, CATEGORIES, OFFERS, STOCKS = "/order", "/products", "/products/categories", "/offers", "/offers/stocks"
BUYERS, USERS, SOURCES, STATUSES = "/buyer", "/users", "/order/source", "/order/status"
EXPENSE_TYPES = "/order/expense-type"
PARTS_OF_ORDER = "products.offer,buyer,manager,status,payments,expenses"

Between: TypeAlias = tuple[datetime, datetime]


def limits(calls_a_minute: int) -> Limits:
    """All of it is ours to use: the shop has said how much that is."""
    return Limits(every_call=(Limit(calls_a_minute, MINUTE, share=1.0),), by_path={})


class KeyCrm:
    """One shop's key. It is one for everything, so nothing of the HTTP core but its GET is kept here.

    Errors are those of `apps.marketplaces.errors`. All workers with the same key share one bucket in `redis`; with None
    this process counts for itself. See `HttpCore` for `watch`, the deadline and the patience.
    """

    def __init__(
        self,
        *,
        api_key: str,
        redis: Redis | None,
        base_url: str = BASE_URL,
        watch: KeyWatch | None = None,
        deadline_seconds: float = 30.0,
        patience_seconds: float = 120.0,
        calls_a_minute: int = CALLS_A_MINUTE,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("api_key must be printable ASCII without spaces, and not empty")
        account = sha256(api_key.encode()).hexdigest()[:16]
        core = HttpCore(
            api=API,
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            limiter=RateLimiter(
                limits(calls_a_minute), api=API, account=account, redis=redis, sleep=sleep, clock=clock
            ),
            watch=watch,
            deadline_seconds=deadline_seconds,
            patience_seconds=patience_seconds,
            session=session,
            clock=clock,
        )
        self._get = partial(core.read, method="GET")
        self._malformed = core.malformed

    # Orders

    def orders(
        self, *, created: Between | None = None, updated: Between | None = None, cursor: str = ""
    ) -> Iterator[Page[Order]]:
        """Orders with their lines, payments, expenses, buyer and manager; both ends of a period are included.

        `created` is about the moment at which the order was made for the shop (`ordered_at`), not in the CRM.
        """
        params = {"include": PARTS_OF_ORDER, "sort": "id"}
        params |= {"filter[created_between]": between(*created)} if created else {}
        params |= {"filter[updated_between]": between(*updated)} if updated else {}
        return self._pages(ORDER, Order, params, cursor)

    def order(self, order_id: int) -> Order | None:
        """One order, or None when there is none of this id."""
        path = f"{ORDER}/{order_id}"
        try:
            answer = self._get(path, params={"include": PARTS_OF_ORDER})
        except Permanent as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        try:
            return Order.model_validate(answer["data"] if isinstance(answer.get("data"), dict) else answer)
        except ValidationError as error:
            self._malformed(path, reason_of(error))

    # Goods

    def products(self, *, cursor: str = "") -> Iterator[Page[Product]]:
        """All products with their custom fields."""
        return self._pages(PRODUCTS, Product, {"include": "custom_fields"}, cursor)

    def offers(self, *, cursor: str = "") -> Iterator[Page[Offer]]:
        """All variants with the products that they are of."""
        return self._pages(OFFERS, Offer, {"include": "product", "sort": "id"}, cursor)

    def stocks(self, *, cursor: str = "") -> Iterator[Page[OfferStock]]:
        """Units of every variant, by warehouse."""
        return self._pages(STOCKS, OfferStock, {"filter[details]": "true"}, cursor)

    def categories(self, *, cursor: str = "") -> Iterator[Page[Category]]:
        return self._pages(CATEGORIES, Category, {}, cursor)

    # People

    def buyers(self, *, updated: Between | None = None, cursor: str = "") -> Iterator[Page[Buyer]]:
        return self._pages(BUYERS, Buyer, {"filter[updated_between]": between(*updated)} if updated else {}, cursor)

    def users(self, *, cursor: str = "") -> Iterator[Page[User]]:
        """The managers."""
        return self._pages(USERS, User, {}, cursor)

    # Directories

    def sources(self, *, cursor: str = "") -> Iterator[Page[Source]]:
        return self._pages(SOURCES, Source, {"sort": "id"}, cursor)

    def statuses(self, *, cursor: str = "") -> Iterator[Page[Status]]:
        """Those that are in use: an old order may have one that is not in this list."""
        return self._pages(STATUSES, Status, {"sort": "id"}, cursor)

    def expense_types(self, *, cursor: str = "") -> Iterator[Page[ExpenseType]]:
        return self._pages(EXPENSE_TYPES, ExpenseType, {"sort": "id"}, cursor)

    # How

    def _pages(self, path: str, model: type[Model], params: dict[str, str], cursor: str) -> Iterator[Page[Model]]:
        def fetch(cursor: str) -> Page[Model]:
            return self._page(path, model, {**params, "limit": str(LIMIT), "page": cursor or "1"})

        return pages(fetch, api=API, path=path, cursor=cursor, most=MOST_PAGES)

    def _page(self, path: str, model: type[Model], params: dict[str, str]) -> Page[Model]:
        answer = self._get(path, params=params)
        raw_rows, total = answer.get("data"), answer.get("total")
        if not isinstance(raw_rows, list) or not isinstance(total, int) or "next_page_url" not in answer:
            self._malformed(path, "the answer is not a page: `data`, `total` and `next_page_url` belong to one")
        rows, bad_rows = parse_rows(model, raw_rows, ids=("id",))
        following = answer["next_page_url"]
        cursor = "" if following is None else self._page_number(path, following)
        return Page(rows, bad_rows, cursor=cursor, last=following is None, announced=total)

    def _page_number(self, path: str, address: Any) -> str:
        query = parse_qs(urlsplit(address).query) if isinstance(address, str) else {}
        number = query.get("page", [""])[0]
        if not (number.isascii() and number.isdecimal()):
            self._malformed(path, "`next_page_url` names no page")
        return number


def between(since: datetime, until: datetime) -> str:
    """A period as the filters want it, in UTC, to the second; KeyCRM keeps no moments finer than that."""
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError("both moments must be aware")
    if since > until:
        raise ValueError("since must not be after until")
    return ", ".join(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for moment in (since, until))
