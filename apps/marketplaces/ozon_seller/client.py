"""The OZON Seller API: a method is a path, its parameters and a typed row.

Lists are iterators of pages. Each page carries the cursor to go on from, whether the end marker was seen, and how many
rows the API announces: a caller that commits page by page can stop anywhere and resume.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

import requests
from pydantic import ValidationError
from redis import Redis

from apps.marketplaces.fields import ApiRow
from apps.marketplaces.http import HttpCore, KeyWatch
from apps.marketplaces.ozon_seller import analytics, categories, price_import, promotions, returns
from apps.marketplaces.ozon_seller.accruals import Accrual, AccrualType
from apps.marketplaces.ozon_seller.limits import LIMITS
from apps.marketplaces.ozon_seller.lists import (
    ACCRUAL_TYPES,
    ACCRUALS,
    ATTRIBUTES,
    CLUSTER_STOCKS,
    FBO_POSTINGS,
    FBO_STOCKS,
    FBS_POSTINGS,
    PRICE_TIMERS,
    PRICES,
    PRODUCT_INFO,
    PRODUCTS,
    PROMOTION_PRODUCTS,
    STOCKS,
    WAREHOUSES,
    Listing,
)
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.ozon_seller.promotions import Promotion, PromotionProduct
from apps.marketplaces.ozon_seller.refusals import kind_of
from apps.marketplaces.ozon_seller.returns import Return
from apps.marketplaces.ozon_seller.schemas import (
    ClusterStock,
    FboStock,
    KeyRoles,
    PriceTimer,
    Product,
    ProductAttributes,
    ProductPrice,
    ProductRef,
    ProductStock,
    SellerInfo,
    Warehouse,
)
from apps.marketplaces.paging import Model, Page, pages, parse_rows, reason_of, sure_of_its_end
from apps.marketplaces.ratelimit import Limits, RateLimiter

API = "OZON Seller"
BASE_URL = "https://api-seller.ozon.ru"
ROLES, SELLER_INFO = "/v1/roles", "/v1/seller/info"
MOST_IDS = 1000
MOST_CLUSTER_SKUS = 100
MOST_ORDERS = 100
RENEW_TIMERS = "/v1/product/action/timer/update"

Answer = TypeVar("Answer", bound=ApiRow)


class OzonKeyWatch(KeyWatch, Protocol):
    """Also told what OZON says of the key."""

    def described(self, roles: KeyRoles) -> None: ...


class OzonSeller:
    """One shop's key. Errors are those of `apps.marketplaces.errors`; ids and dates that make no sense are ValueError.

    `redis` shares the rate limit with all processes; with None this process counts for itself. `before_write` is called
    right before a write leaves and may raise to refuse it. See `HttpCore` for `watch`, the deadline and the patience.
    """

    def __init__(
        self,
        *,
        client_id: str,
        api_key: str,
        redis: Redis | None,
        base_url: str = BASE_URL,
        before_write: Callable[[], None] | None = None,
        watch: OzonKeyWatch | None = None,
        deadline_seconds: float = 20.0,
        patience_seconds: float = 90.0,
        limits: Limits = LIMITS,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (client_id.isascii() and client_id.isdecimal() and int(client_id) > 0):
            raise ValueError("client_id must be a positive whole number")
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("api_key must be printable ASCII without spaces, and not empty")
        self._watch = watch
        self._http = HttpCore(
            api=API,
            base_url=base_url,
            headers={"Client-Id": client_id, "Api-Key": api_key},
            limiter=RateLimiter(limits, api=API, account=client_id, redis=redis, sleep=sleep, clock=clock),
            classify=kind_of,
            before_write=before_write,
            watch=watch,
            deadline_seconds=deadline_seconds,
            patience_seconds=patience_seconds,
            session=session,
            clock=clock,
        )

    # Products

    def products(self, *, visibility: str = "ALL", cursor: str = "") -> Iterator[Page[ProductRef]]:
        """All products; "ALL" leaves out the archived ones, which "ARCHIVED" lists."""
        return self._pages(PRODUCTS, {"filter": {"visibility": visibility}}, cursor)

    def product_info(self, product_ids: Sequence[int]) -> Iterator[Page[Product]]:
        """A page per 1000 ids. `announced` is how many were asked; ids that OZON does not know are just missing."""
        batches = _batches(product_ids)
        for number, batch in enumerate(batches, start=1):
            page = self._fetch(PRODUCT_INFO, {"product_id": _strings(batch)})
            yield Page(page.rows, page.bad_rows, cursor="", last=number == len(batches), announced=len(batch))

    def attributes(self, product_ids: Sequence[int]) -> Iterator[Page[ProductAttributes]]:
        """Attributes, for the brand; pages as `product_info`, but a batch may take several."""
        batches = _batches(product_ids)
        for number, batch in enumerate(batches, start=1):
            body = {"filter": {"product_id": _strings(batch), "visibility": "ALL"}, "sort_dir": "ASC"}
            for page in self._pages(ATTRIBUTES, body, ""):
                last = page.last and number == len(batches)
                yield Page(page.rows, page.bad_rows, cursor="", last=last, announced=len(batch))

    def category_tree(self, *, language: str = "RU") -> categories.CategoryTree:
        """The names of OZON's categories and product types."""
        answer = self._http.read(categories.PATH, {"language": language})
        return categories.flatten(self._list_of(categories.PATH, answer, "result"))

    # Prices

    def prices(
        self,
        *,
        visibility: str = "ALL",
        product_ids: Sequence[int] = (),
        offer_ids: Sequence[str] = (),
        cursor: str = "",
    ) -> Iterator[Page[ProductPrice]]:
        """Prices with commissions, of all products or of up to 1000 named by one kind of id."""
        wanted: dict[str, Any] = {"visibility": visibility}
        if product_ids:
            wanted["product_id"] = _strings(_at_most("product_ids", product_ids))
        if offer_ids:
            wanted["offer_id"] = list(_at_most("offer_ids", offer_ids))
        return self._pages(PRICES, {"filter": wanted}, cursor)

    def import_prices(self, items: Sequence[price_import.PriceItem]) -> tuple[price_import.PriceOutcome, ...]:
        """Sets prices of up to 1000 products; an outcome per item, in the same order. Sent once, never repeated.

        ValueError: an item cannot be sent; nothing was. Unclear: any item may have been applied. Other errors: none.
        """
        path = price_import.PATH
        answer = self._http.write(path, price_import.payload(items))
        raw_results = answer.get("result")
        if not isinstance(raw_results, list):
            self._http.unclear(path, "the answer has no list `result`")
        answers, _ = parse_rows(price_import.ItemAnswer, raw_results, ids=())
        return price_import.outcomes(items, answers)

    def price_timers(self, product_ids: Sequence[int]) -> Iterator[Page[PriceTimer]]:
        """Until when minimum prices are in force: a page per 1000 ids, without those that OZON does not know."""
        batches = _batches(product_ids)
        for number, batch in enumerate(batches, start=1):
            page = self._fetch(PRICE_TIMERS, {"product_ids": _strings(batch)})
            yield Page(page.rows, page.bad_rows, cursor="", last=number == len(batches))

    def renew_price_timers(self, product_ids: Sequence[int]) -> None:
        """Keeps the minimum prices of up to 1000 products in force for 30 days from now. Sent once, never repeated.

        Unclear: it may have been done. Other errors: it was not.
        """
        body = {"product_ids": _strings(_at_most("product_ids", product_ids))}
        self._http.write(RENEW_TIMERS, body, may_be_empty=True)

    # Promotions

    def promotions(self) -> Page[Promotion]:
        """Every promotion that the seller may take part in, in one page: the method has no others."""
        raw_rows = self._list_of(promotions.PATH, self._http.read(promotions.PATH, method="GET"), "result")
        rows, bad_rows = parse_rows(promotions.Promotion, raw_rows, ids=("id",))
        return Page(rows, bad_rows, cursor="", last=True)

    def promotion_products(self, promotion_id: int, *, cursor: str = "") -> Iterator[Page[PromotionProduct]]:
        """The products that take part in a promotion."""
        return self._pages(PROMOTION_PRODUCTS, {"action_id": promotion_id}, cursor)

    # Stocks

    def stocks(self, *, visibility: str = "ALL", cursor: str = "") -> Iterator[Page[ProductStock]]:
        """Stock in the seller's own warehouses (FBS, rFBS, FBP)."""
        return self._pages(STOCKS, {"filter": {"visibility": visibility}}, cursor)

    def fbo_stocks(self, *, skus: Sequence[int] = (), cursor: str = "") -> Iterator[Page[FboStock]]:
        """Stock in OZON's warehouses, a row per product and warehouse."""
        return self._pages(FBO_STOCKS, {"skus": _strings(_at_most("skus", skus))} if skus else {}, cursor)

    def cluster_stocks(self, skus: Sequence[int]) -> Iterator[Page[ClusterStock]]:
        """Stock in OZON's warehouses with their clusters: a page per 100 products, without paging inside it."""
        batches = _batches(skus, most=MOST_CLUSTER_SKUS)
        for number, batch in enumerate(batches, start=1):
            page = self._fetch(CLUSTER_STOCKS, {"skus": _strings(batch)})
            yield Page(page.rows, page.bad_rows, cursor="", last=number == len(batches))

    def warehouses(self, *, cursor: str = "") -> Iterator[Page[Warehouse]]:
        """The seller's own warehouses."""
        return self._pages(WAREHOUSES, {}, cursor)

    # Postings

    def fbo_postings(
        self,
        *,
        since: datetime,
        to: datetime,
        posting_numbers: Sequence[str] = (),
        finance: bool = True,
        cursor: str = "",
    ) -> Iterator[Page[Posting]]:
        """Postings from OZON's warehouses that were created from `since` to `to`, at most a year; all or up to 1000."""
        wanted = _period(since, to)
        if posting_numbers:
            wanted["posting_numbers"] = list(_at_most("posting_numbers", posting_numbers))
        body = {"filter": wanted, "sort_dir": "ASC", "translit": False, "with": _parts(finance)}
        return self._pages(FBO_POSTINGS, body, cursor)

    def fbs_postings(
        self,
        *,
        since: datetime,
        to: datetime,
        changed_since: datetime | None = None,
        changed_to: datetime | None = None,
        order_numbers: Sequence[str] = (),
        finance: bool = True,
        cursor: str = "",
    ) -> Iterator[Page[Posting]]:
        """Postings from the seller's warehouses created from `since` to `to`, at most a year.

        With both `changed_since` and `changed_to`, only those whose status changed in between; with `order_numbers`,
        up to 100, only the postings of these orders.
        """
        wanted: dict[str, Any] = _period(since, to)
        if (changed_since is None) != (changed_to is None):
            raise ValueError("changed_since and changed_to go together")
        if changed_since is not None and changed_to is not None:
            wanted["last_changed_status_date"] = {
                "from": _moment("changed_since", changed_since),
                "to": _moment("changed_to", changed_to),
            }
        if order_numbers:
            wanted["order_numbers"] = list(_at_most("order_numbers", order_numbers, most=MOST_ORDERS))
        body = {"filter": wanted, "sort_dir": "ASC", "translit": False, "with": {**_parts(finance), "barcodes": False}}
        return self._pages(FBS_POSTINGS, body, cursor)

    def returns(self, *, changed_since: datetime, changed_to: datetime, cursor: str = "") -> Iterator[Page[Return]]:
        """What came back, FBO and FBS, whose status changed in between."""
        period = {"time_from": _moment("changed_since", changed_since), "time_to": _moment("changed_to", changed_to)}
        body = {"filter": {"visual_status_change_moment": period}, "limit": returns.LIMIT}

        def fetch(cursor: str) -> Page[Return]:
            answer = self._http.read(returns.PATH, {**body, "last_id": int(cursor or 0)})
            return returns.page(self._list_of(returns.PATH, answer, "returns"), has_next=answer.get("has_next"))

        return pages(sure_of_its_end(fetch), api=API, path=returns.PATH, cursor=cursor)

    # Finance

    def accruals(self, day: date, *, cursor: str = "") -> Iterator[Page[Accrual]]:
        """What was charged and paid on a day, from 2022 on. The API announces nothing."""
        return self._pages(ACCRUALS, {"date": day.isoformat()}, cursor)

    def accrual_types(self) -> Page[AccrualType]:
        """The names of the types of accruals, in one page."""
        page = self._fetch(ACCRUAL_TYPES, {})
        return Page(page.rows, page.bad_rows, cursor="", last=True)

    # Analytics and account

    def analytics_data(
        self, *, first: date, last: date, metrics: Sequence[str], dimensions: Sequence[str], cursor: str = ""
    ) -> Iterator[Page[analytics.AnalyticsFact]]:
        """Figures of whole days, both ends inclusive: one call a minute and 50 a day.

        The API pages by offset and announces nothing, so that a page that is not full is its only end marker.
        """
        body = {
            "date_from": first.isoformat(),
            "date_to": last.isoformat(),
            "metrics": list(metrics),
            "dimension": list(dimensions),
            "filters": [],
            "sort": [],
            "limit": analytics.LIMIT,
        }

        def fetch(cursor: str) -> Page[analytics.AnalyticsFact]:
            offset = int(cursor or 0)
            answer = self._http.read(analytics.PATH, {**body, "offset": offset})
            raw_rows = self._list_of(analytics.PATH, self._object_of(analytics.PATH, answer, "result"), "data")
            return analytics.page(raw_rows, offset=offset, metrics=metrics, dimensions=dimensions)

        return pages(fetch, api=API, path=analytics.PATH, cursor=cursor)

    def roles(self) -> KeyRoles:
        """What the key may do and when it expires."""
        found = self._one(ROLES, KeyRoles)
        if self._watch is not None:
            self._watch.described(found)
        return found

    def seller_info(self) -> SellerInfo:
        """The company's currency and its subscription."""
        return self._one(SELLER_INFO, SellerInfo)

    # How

    def _pages(self, listing: Listing[Model], body: Mapping[str, Any], cursor: str) -> Iterator[Page[Model]]:
        def fetch(cursor: str) -> Page[Model]:
            length = {} if listing.limit is None else {"limit": listing.limit}
            return self._fetch(listing, {**body, listing.cursor: cursor, **length})

        return pages(sure_of_its_end(fetch), api=API, path=listing.path, cursor=cursor)

    def _fetch(self, listing: Listing[Model], body: Mapping[str, Any]) -> Page[Model]:
        box = self._http.read(listing.path, body)
        if listing.wrapper:
            box = self._object_of(listing.path, box, listing.wrapper)
        raw_rows = self._list_of(listing.path, box, listing.rows)
        return listing.page(raw_rows, box)

    def _one(self, path: str, model: type[Answer]) -> Answer:
        try:
            return model.model_validate(self._http.read(path, {}))
        except ValidationError as error:
            self._http.malformed(path, reason_of(error))

    def _object_of(self, path: str, answer: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = answer.get(name)
        if not isinstance(value, dict):
            self._http.malformed(path, f"the answer has no object `{name}`")
        return value

    def _list_of(self, path: str, answer: Mapping[str, Any], name: str) -> list[Any]:
        value = answer.get(name)
        if not isinstance(value, list):
            self._http.malformed(path, f"the answer has no list `{name}`")
        return value


def _parts(finance: bool) -> dict[str, bool]:
    """Which parts of a posting are asked for: without its finance, half of the work of reading it falls away."""
    return {"analytics_data": True, "financial_data": finance, "legal_info": False}


def _batches(ids: Sequence[int], *, most: int = MOST_IDS) -> list[Sequence[int]]:
    return [ids[start : start + most] for start in range(0, len(ids), most)]


def _at_most(field: str, ids: Sequence[Any], *, most: int = MOST_IDS) -> Sequence[Any]:
    if len(ids) > most:
        raise ValueError(f"{field}: at most {most}, got {len(ids)}")
    return ids


def _strings(ids: Sequence[int]) -> list[str]:
    return [str(one) for one in ids]


def _period(since: datetime, to: datetime) -> dict[str, Any]:
    period = {"since": _moment("since", since), "to": _moment("to", to)}
    if since > to:
        raise ValueError("since must not be after to")
    return period


def _moment(field: str, moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{field} must be an aware datetime")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
