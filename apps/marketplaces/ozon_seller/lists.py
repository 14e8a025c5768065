"""The list methods of the OZON Seller API: where each keeps its rows and its cursor, and how a page ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from apps.marketplaces.ozon_seller.accruals import Accrual, AccrualType
from apps.marketplaces.ozon_seller.postings import Posting
from apps.marketplaces.ozon_seller.promotions import PromotionProduct
from apps.marketplaces.ozon_seller.schemas import (
    ClusterStock,
    FboStock,
    PriceTimer,
    Product,
    ProductAttributes,
    ProductPrice,
    ProductRef,
    ProductStock,
    Warehouse,
)
from apps.marketplaces.paging import Model, Page, parse_rows


@dataclass(frozen=True)
class Listing(Generic[Model]):
    """A list method. `ids` are the fields that may name a bad row; `wrapper` is the object around the rows, if any.

    `limit` None: the method decides by itself how long a page is.
    """

    path: str
    model: type[Model]
    rows: str
    ids: tuple[str, ...]
    limit: int | None = 1000
    cursor: str = "cursor"
    wrapper: str | None = None

    def page(self, raw_rows: Sequence[Any], box: Mapping[str, Any]) -> Page[Model]:
        """A page ends the list when it is empty or says so: `has_next` false, or, where there is none, no cursor.

        `has_next` true beside an empty page is a known fault of the API, not a reason to go on.
        """
        rows, bad_rows = parse_rows(self.model, raw_rows, ids=self.ids)
        cursor = str(box.get(self.cursor) or "")
        has_next = box.get("has_next")
        goes_on = has_next if isinstance(has_next, bool) else bool(cursor)
        return Page(rows, bad_rows, cursor, last=not raw_rows or not goes_on, announced=_announced(box))


def _announced(box: Mapping[str, Any]) -> int | None:
    """`total_items`, or `total`, which it replaces on 23 November 2026."""
    value = box.get("total_items", box.get("total"))
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else None


PRODUCT_IDS = ("product_id", "offer_id")

PRODUCTS = Listing("/v3/product/list", ProductRef, "items", PRODUCT_IDS, cursor="last_id", wrapper="result")
PRODUCT_INFO = Listing("/v3/product/info/list", Product, "items", ("id", "offer_id"))
ATTRIBUTES = Listing("/v4/product/info/attributes", ProductAttributes, "result", ("id", "offer_id"), cursor="last_id")
PRICES = Listing("/v5/product/info/prices", ProductPrice, "items", PRODUCT_IDS)
PRICE_TIMERS = Listing("/v1/product/action/timer/status", PriceTimer, "statuses", ("product_id",))
STOCKS = Listing("/v4/product/info/stocks", ProductStock, "items", PRODUCT_IDS)
CLUSTER_STOCKS = Listing("/v1/analytics/stocks", ClusterStock, "items", ("sku",))
FBO_STOCKS = Listing("/v1/product/info/stocks-by-warehouse/fbo", FboStock, "products", ("sku", *PRODUCT_IDS))
WAREHOUSES = Listing("/v2/warehouse/list", Warehouse, "warehouses", ("warehouse_id",), limit=200)
FBO_POSTINGS = Listing("/v3/posting/fbo/list", Posting, "postings", ("posting_number",), limit=100)
PROMOTION_PRODUCTS = Listing("/v2/actions/products", PromotionProduct, "products", ("id",), limit=100, cursor="last_id")
ACCRUALS = Listing("/v1/finance/accrual/by-day", Accrual, "accruals", ("accrual_id",), limit=None, cursor="last_id")
ACCRUAL_TYPES = Listing("/v1/finance/accrual/types", AccrualType, "accrual_types", ("id",))
FBS_POSTINGS = Listing("/v4/posting/fbs/list", Posting, "postings", ("posting_number",), limit=100)
