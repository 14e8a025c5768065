"""Stock as it lies in the warehouses this morning. The marketplace tells no past: what is missed stays unknown.

A morning is stored whole or not at all, and once: the first sync of a day is the morning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial
from typing import Any, NamedTuple

from django.db.models import F, Sum

from apps.catalog.models import Product, StockSnapshot, Warehouse
from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, whole
from apps.marketplaces.ozon_seller.schemas import FboStock, ProductStock
from apps.marketplaces.paging import converted
from apps.shops.models import Shop

LONGEST_NAME = 200
OWN = "own"  # the seller's warehouses together: the list of their stock does not tell them apart


class Place(NamedTuple):
    """A warehouse by the marketplace's id."""

    scheme: str
    external_id: str


OWN_PLACE = Place(Warehouse.Scheme.FBS, OWN)


class Lying(NamedTuple):
    """Units of a product in a warehouse; `present` includes what is `reserved`."""

    product_id: int
    place: Place
    present: int
    reserved: int


def sync_stock(work: Work) -> bool:
    if StockSnapshot.objects.filter(warehouse__shop=work.shop, day=work.today).exists():
        return True

    def fetch(cursor: str) -> Iterator[Batch[Lying]]:
        yield _whole_morning(work)

    return follow(work, Reading("stock", fetch, lambda rows: Stored(store_morning(work, rows)), steady=True))


def stock_by_scheme(shop: Shop, day: date) -> dict[int, dict[str, int]]:
    """Units that could be sold on the morning of `day`, without what is reserved, by product and scheme."""
    rows = (
        StockSnapshot.objects.filter(warehouse__shop=shop, day=day)
        .values_list("product_id", "warehouse__scheme")
        .annotate(units=Sum(F("present") - F("reserved")))
    )
    stock: dict[int, dict[str, int]] = {}
    for product_id, scheme, units in rows:
        stock.setdefault(product_id, {})[scheme] = max(units, 0)
    return stock


def warehouse_ids(shop_id: int, names: Mapping[Place, str]) -> dict[Place, int]:
    """Our ids of the shop's warehouses, after those in `names` were added or renamed; an empty name replaces none."""
    known = _known_warehouses(shop_id)
    wanted = [(shop_id, *place, fit(name, LONGEST_NAME)) for place, name in names.items() if name or place not in known]
    upsert(Warehouse, wanted, key=("shop_id", "scheme", "external_id"), columns=("name",))
    return _known_warehouses(shop_id)


def _known_warehouses(shop_id: int) -> dict[Place, int]:
    rows = Warehouse.objects.filter(shop=shop_id).values_list("scheme", "external_id", "id")
    return {Place(scheme, external_id): warehouse_id for scheme, external_id, warehouse_id in rows}


def _whole_morning(work: Work) -> Batch[Lying]:
    """Both lists to their ends: a product that one of them has and the other has not yet is no morning."""
    products = Product.objects.filter(shop=work.shop)
    of_id = dict(products.values_list("external_id", "id"))
    of_sku = dict(products.exclude(sku=None).values_list("sku", "id"))
    own, bad_own = whole(converted(work.client.stocks(), partial(_own_stock, of_id)))
    fbo, bad_fbo = whole(converted(work.client.fbo_stocks(), partial(_fbo_stock, of_sku)))
    rows = [row for row in (*own, *fbo) if row is not None]
    bad_rows = [*bad_own, *bad_fbo]
    return Batch(rows, bad_rows, len(own) + len(fbo) + len(bad_rows), cursor="", last=True, announced=None)


def _own_stock(of_id: Mapping[str, int], row: ProductStock) -> Lying | None:
    """The list has every product: one without an entry of the seller's own schemes has nothing there."""
    product_id = of_id.get(str(row.product_id))
    own = [stock for stock in row.stocks if stock.type.lower() != Warehouse.Scheme.FBO]
    present, reserved = (sum(getattr(stock, name) for stock in own) for name in ("present", "reserved"))
    return Lying(product_id, OWN_PLACE, present, reserved) if product_id else None


def _fbo_stock(of_sku: Mapping[int | None, int], row: FboStock) -> Lying | None:
    product_id = of_sku.get(row.sku)
    return Lying(product_id, _fbo_place(row.warehouse_id), row.present, row.reserved) if product_id else None


@cache
def _fbo_place(warehouse_id: int) -> Place:
    """One for all products that lie there."""
    return Place(Warehouse.Scheme.FBO, str(warehouse_id))


def store_morning(work: Work[Any], rows: Sequence[Lying]) -> int:
    """Belongs into a transaction: a morning is stored whole."""
    warehouses = warehouse_ids(work.shop.pk, {row.place: "" for row in rows})
    snapshots = ((row.product_id, warehouses[row.place], work.today, row.present, row.reserved) for row in rows)
    columns = ("present", "reserved")
    return upsert(StockSnapshot, snapshots, key=("product_id", "warehouse_id", "day"), columns=columns).written
