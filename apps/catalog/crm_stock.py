"""Stock of a CRM's variants, by warehouse, as it lies this morning: the CRM tells no past either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from apps.catalog.models import Product, StockSnapshot, Warehouse
from apps.catalog.stock import OWN, Lying, Place, store_morning, warehouse_ids
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, whole
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm

MOST_UNITS = 2**31 - 1


def sync_crm_stock(work: Work[KeyCrm]) -> bool:
    """After the variants, which it is of. The first sync of a day is the morning."""
    if StockSnapshot.objects.filter(warehouse__shop=work.shop, day=work.today).exists():
        return True
    names: dict[Place, str] = {}

    def fetch(cursor: str) -> Iterator[Batch[Lying]]:
        rows, bad_rows = whole(work.client.stocks())
        products = dict(Product.objects.filter(shop=work.shop).values_list("external_id", "id"))
        known = [row for row in rows if str(row.offer_id) in products]
        names.update({_place(one): one.name for row in known for one in row.warehouse})
        lying = [one for row in known for one in _lying(products[str(row.offer_id)], row)]
        yield Batch(lying, bad_rows, len(rows) + len(bad_rows), cursor="", last=True, announced=None)

    def store(rows: Sequence[Lying]) -> Stored:
        warehouse_ids(work.shop.pk, names)
        return Stored(store_morning(work, rows))

    return follow(work, Reading("stock", fetch, store, steady=True))


def _lying(product_id: int, row: schemas.OfferStock) -> list[Lying]:
    """One row for each warehouse; where none is told, one for all of them together."""
    if not row.warehouse:
        return [Lying(product_id, Place(Warehouse.Scheme.FBS, OWN), _units(row.quantity), _units(row.reserve))]
    return [Lying(product_id, _place(one), _units(one.quantity), _units(one.reserve)) for one in row.warehouse]


def _place(warehouse: schemas.WarehouseStock) -> Place:
    return Place(Warehouse.Scheme.FBS, str(warehouse.warehouse_id))


def _units(quantity: Decimal | None) -> int:
    """Whole units that can be counted: a part of one is none, and less than nothing is nothing."""
    return min(max(int(quantity or 0), 0), MOST_UNITS)
