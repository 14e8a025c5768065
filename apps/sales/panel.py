"""Sales of a shop's products by day, as the arrays that statistics work on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from django.db import connection
from django.db.models import Q
from numpy.typing import NDArray
from psycopg import sql

from apps.catalog.models import Product
from apps.common.periods import Period
from apps.sales.known import KnownDays
from apps.shops.models import Shop

IN_STOCK, OUT_OF_STOCK, UNKNOWN_STOCK = 1, 0, -1

# Read in PostgreSQL's binary format: every column has a fixed width and is never null, so that the answer is an array.
COPY = sql.SQL(
    """
copy (
    select product_id, day - {first}, units - cancelled_units, returned_units,
        (revenue - cancelled_revenue)::float8, coalesce(in_stock::int, -1)
    from sales
    where product_id = any({products}::bigint[]) and day between {first} and {last}
) to stdout (format binary)
"""
)
HEADER_BYTES, TRAILER_BYTES = 19, 2
COLUMNS = (
    *(("product", ">i8"), ("day", ">i4"), ("units", ">i4"), ("returned", ">i4"), ("revenue", ">f8")),
    ("in_stock", ">i4"),
)
RECORD = np.dtype(
    [("columns", ">i2"), *(part for name, kind in COLUMNS for part in ((f"{name}_bytes", ">i4"), (name, kind)))]
)


@dataclass(frozen=True, eq=False)
class Panel:
    """Products are rows, days are columns, oldest first. A product without a row in the facts sold nothing that day.

    units: ordered that day less those cancelled since; returned: of these returned since; revenue: of `units`, in the
    shop's currency; in_stock: IN_STOCK, OUT_OF_STOCK or UNKNOWN_STOCK for the whole day; known_days (by day): whether
    the shop's sales of the day are known at all, where not its zeros mean nothing; categories (by product): our
    category id, 0 for none.
    """

    product_ids: NDArray[np.int64]
    categories: NDArray[np.int64]
    first: date
    units: NDArray[np.int64]
    returned: NDArray[np.int64]
    revenue: NDArray[np.float64]
    in_stock: NDArray[np.int8]
    known_days: NDArray[np.bool_]

    @cached_property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=place) for place in range(self.units.shape[1]))

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {product_id: row for row, product_id in enumerate(self.product_ids.tolist())}

    @cached_property
    def stocked(self) -> NDArray[np.bool_]:
        """Products x days that speak of demand: the sales are known, and the shelf is not known to have been empty."""
        stocked: NDArray[np.bool_] = (self.in_stock != OUT_OF_STOCK) & self.known_days
        return stocked

    def row_of(self, product_id: int) -> int | None:
        return self._rows.get(product_id)


def panel(shop: Shop, first: date, last: date, product_ids: Collection[int] | None = None) -> Panel:
    """The products that are not archived or sold something from `first` to `last`, or those named, by id."""
    period, known = Period(first, last), KnownDays.of(shop)
    products = _products(shop, period, product_ids)
    rows = _read(products[:, 0], period)
    shape = (len(products), period.days)
    place = (np.searchsorted(products[:, 0], rows["product"]), rows["day"])
    return Panel(
        product_ids=products[:, 0],
        categories=products[:, 1],
        first=first,
        units=_filled(shape, place, rows["units"], np.int64),
        returned=_filled(shape, place, rows["returned"], np.int64),
        revenue=_filled(shape, place, rows["revenue"], np.float64),
        in_stock=_filled(shape, place, rows["in_stock"], np.int8, empty=UNKNOWN_STOCK),
        known_days=np.array([known.has_sales(day) for day in period], dtype=np.bool_),
    )


def _products(shop: Shop, period: Period, only: Collection[int] | None) -> NDArray[np.int64]:
    """Ids and categories of the products, sorted by id."""
    products = Product.objects.filter(shop=shop)
    if only is not None:
        products = products.filter(pk__in=only)
    else:
        sold = Q(pk__in=products.filter(daily_facts__day__range=(period.first, period.last)).values("pk"))
        products = products.filter(Q(is_archived=False) | sold)
    rows = [(key, category or 0) for key, category in products.order_by("pk").values_list("pk", "category_id")]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _read(product_ids: NDArray[np.int64], period: Period) -> NDArray[np.void]:
    query = COPY.format(products=product_ids.tolist(), first=period.first, last=period.last)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(query.as_string(cursor.connection)) as copy,
    ):
        answer = b"".join(copy)
    return np.frombuffer(answer[HEADER_BYTES:-TRAILER_BYTES], dtype=RECORD)


def _filled(
    shape: tuple[int, int], place: tuple[NDArray, NDArray], values: NDArray, kind: type, empty: int = 0
) -> NDArray:
    table: NDArray = np.full(shape, empty, dtype=kind)
    table[place] = values
    return table
