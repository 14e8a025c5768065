"""/v1/analytics/stocks of the imitated Seller API: stock in OZON's warehouses by cluster, and how fast it sells."""

from typing import Any

import numpy as np

from apps.marketplaces.standins.catalog import FBO_WAREHOUSES, WAREHOUSES
from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask, numbers_of
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.stocks import by_place, fbo_shelves
from apps.marketplaces.standins.world import World

MOST_SKUS, DAYS = 100, 28
FIRST_CLUSTER = 154
FILTERS = (
    *("cluster_ids", "item_tags", "macrolocal_cluster_ids", "placement_zone", "turnover_grades", "warehouse_ids"),
    "unmarked_stocks_only",
)
EMPTY_COUNTS = (
    *("excess", "expiring", "other", "requested", "return_from_customer", "return_to_seller", "stock_defect"),
    *("transit", "transit_defect", "valid", "waiting_docs"),
)


def cluster_stocks(ask: Ask) -> dict[str, Any]:
    """POST /v1/analytics/stocks: a row per product and warehouse; no paging."""
    ask.only("skus", *FILTERS)
    skus = numbers_of(ask.fields.get("skus"), "skus")
    if not 1 <= len(skus) <= MOST_SKUS:
        raise invalid(f"invalid {ask.message}.Skus: value must contain between 1 and {MOST_SKUS} items, inclusive")
    if ask.fields.get("cluster_ids") and ask.fields.get("macrolocal_cluster_ids"):
        raise invalid("only one of cluster_ids and macrolocal_cluster_ids may be used")
    known = [place for sku in skus if (place := ask.world.catalog.of_sku(sku)) is not None]
    return {"items": [] if ask.suffers(Kind.EMPTY_200) else _items(ask.world, known)}


def _items(world: World, products: list[int]) -> list[dict[str, Any]]:
    present, reserved = by_place(world)
    days = [day for day in range(world.day - DAYS, world.day) if day in world.ledger.days]
    sold = (
        np.sum([world.ledger.days[day].units for day in days], axis=0) / DAYS if days else np.zeros(world.demand.skus)
    )
    return [
        _item(world, i, place, int(present[i, place] - reserved[i, place]), float(sold[i]))
        for i, place in fbo_shelves(world, products).tolist()
    ]


def _item(world: World, i: int, place: int, available: int, a_day: float) -> dict[str, Any]:
    here = a_day * (0.7 if place == world.catalog.main_place[i] else 0.3)
    return {
        "sku": int(world.catalog.sku[i]),
        "offer_id": world.catalog.offer_id[i],
        "name": world.catalog.name[i],
        "warehouse_id": WAREHOUSES[place].warehouse_id,
        "warehouse_name": WAREHOUSES[place].name,
        "cluster_id": FIRST_CLUSTER + place % len(FBO_WAREHOUSES),
        "cluster_name": WAREHOUSES[place].cluster,
        "macrolocal_cluster_id": 4000 + place,
        "item_tags": [],
        "available_stock_count": available,
        **{f"{name}_stock_count": 0 for name in EMPTY_COUNTS},
        "ads": round(a_day, 2),
        "ads_cluster": round(here, 2),
        "idc": round(available / a_day, 1) if a_day else 0,
        "days_without_sales": 0,
        "days_without_sales_cluster": 0,
        "turnover_grade": "ACTUAL" if a_day else "NO_SALES",
        "turnover_grade_cluster": "ACTUAL" if here else "NO_SALES",
    }
