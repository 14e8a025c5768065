"""Stocks of the imitated Seller API, as they are now; the past is not told. `present` includes what is reserved."""

from typing import Any

import numpy as np

from apps.marketplaces.standins.catalog import FBO, FBS, FBS_PLACE, FBS_WAREHOUSE, WAREHOUSES
from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask, numbers_of
from apps.marketplaces.standins.ozon_seller.selection import chosen_products
from apps.marketplaces.standins.world import World


def fbs_stocks(ask: Ask) -> dict[str, Any]:
    """POST /v4/product/info/stocks: the seller's own warehouses only."""
    ask.only("cursor", "filter", "limit")
    wanted = ask.object("filter", "offer_id", "product_id", "visibility", "with_quant", required=True)
    chosen = chosen_products(ask.world, wanted)
    page = ask.page(len(chosen), most=1000)
    total = 0 if ask.suffers(Kind.EMPTY_200) else len(chosen)
    present, reserved = by_place(ask.world)
    items = [
        _fbs_item(ask.world, i, int(present[i, FBS_PLACE]), int(reserved[i, FBS_PLACE]))
        for i in chosen[page.start : page.stop]
    ]
    return {"items": items, "cursor": page.cursor, "total": total, "total_items": total}


def fbo_stocks(ask: Ask) -> dict[str, Any]:
    """POST /v1/product/info/stocks-by-warehouse/fbo: a row per product and warehouse, also where nothing is left."""
    ask.only("cursor", "limit", "offer_ids", "skus")
    wanted = {"offer_id": ask.fields.get("offer_ids"), "sku": numbers_of(ask.fields.get("skus"), "skus")}
    chosen = chosen_products(ask.world, wanted)
    present, reserved = by_place(ask.world)
    rows = fbo_shelves(ask.world, chosen)
    page = ask.page(len(rows), most=1000)
    products = [
        {
            "sku": int(ask.world.catalog.sku[i]),
            "product_id": int(ask.world.catalog.product_id[i]),
            "offer_id": ask.world.catalog.offer_id[i],
            "warehouse_id": WAREHOUSES[place].warehouse_id,
            "present": int(present[i, place]),
            "reserved": int(reserved[i, place]),
        }
        for i, place in rows[page.start : page.stop].tolist()
    ]
    return {"products": products, "cursor": page.cursor, "has_next": page.has_next}


def warehouse_list(ask: Ask) -> dict[str, Any]:
    """POST /v2/warehouse/list: the seller's own warehouses."""
    ask.only("limit", "cursor", "warehouse_ids")
    wanted = numbers_of(ask.fields.get("warehouse_ids"), "warehouse_ids")
    rows = [FBS_WAREHOUSE_ROW] if not wanted or FBS_WAREHOUSE.warehouse_id in wanted else []
    page = ask.page(len(rows), most=200)
    return {"warehouses": rows[page.start : page.stop], "cursor": page.cursor, "has_next": page.has_next}


def stock_by_scheme(world: World, i: int, stock: tuple[Ints, Ints]) -> list[dict[str, Any]]:
    """Stock of one product the way /v3/product/info/list words it; `stock` is what `by_place` gives."""
    present, reserved = (units[i] for units in stock)
    of_scheme = {"fbo": slice(FBS_PLACE), "fbs": slice(FBS_PLACE, None)}
    other = {FBO: "fbs", FBS: "fbo"}.get(int(world.catalog.scheme[i]))
    return [
        {
            "present": int(present[places].sum()),
            "reserved": int(reserved[places].sum()),
            "sku": int(world.catalog.sku[i]),
            "source": source,
        }
        for source, places in of_scheme.items()
        if source != other
    ]


def by_place(world: World) -> tuple[Ints, Ints]:
    """Present and reserved units, shape (products, warehouses). What is sold and not shipped lies in the main one."""
    reserved = np.zeros((world.demand.skus, len(WAREHOUSES)), dtype=np.int64)
    reserved[np.arange(world.demand.skus), world.catalog.main_place] = world.book.reserved(world.day)
    return world.catalog.by_warehouse(world.shelf.free) + reserved, reserved


def fbo_shelves(world: World, products: list[int]) -> Ints:
    """Every product with every one of OZON's warehouses that it may lie in: shape (rows, 2)."""
    chosen = np.array(products, dtype=np.int64)
    places = np.sort(np.stack([world.catalog.main_place[chosen], world.catalog.second_place[chosen]], axis=1), axis=1)
    rows = np.stack([np.repeat(chosen, 2), places.ravel()], axis=1)
    shelves: Ints = rows[rows[:, 1] != FBS_PLACE]
    return shelves


def _fbs_item(world: World, i: int, present: int, reserved: int) -> dict[str, Any]:
    stocks = []
    if world.catalog.scheme[i] != FBO:
        counts = {"present": present, "reserved": reserved, "shipment_type": "SHIPMENT_TYPE_GENERAL"}
        warehouse_ids = [FBS_WAREHOUSE.warehouse_id]
        stocks = [{"type": "fbs", "sku": int(world.catalog.sku[i]), **counts, "warehouse_ids": warehouse_ids}]
    return {
        "product_id": int(world.catalog.product_id[i]),
        "offer_id": world.catalog.offer_id[i],
        "stocks": stocks,
    }


FBS_WAREHOUSE_ROW: dict[str, Any] = {
    "warehouse_id": FBS_WAREHOUSE.warehouse_id,
    "name": FBS_WAREHOUSE.name,
    "status": "created",
    "warehouse_type": "fbs",
    "is_rfbs": False,
    "is_kgt": False,
    "is_express": False,
    "is_comfort": False,
    "is_auto_assembly": False,
    "is_waybill_enabled": False,
    "has_entrusted_acceptance": False,
    "has_postings_limit": False,
    "postings_limit": -1,
    "min_postings_limit": 0,
    "cut_in_time": 0,
    "sla_cut_in": 1440,
    "with_item_list": False,
    "carriage_label_type": "BIG",
    "courier_comment": "",
    "courier_phones": [],
    "phone": "+70000000000",
    "created_at": "2025-03-11T11:57:51.811Z",
    "updated_at": "2025-03-11T11:57:51.811Z",
    "address_info": {"address": "Московская обл., Химки", "latitude": 55.89, "longitude": 37.44, "utc": "UTC+03:00"},
    "first_mile": {
        "type": "DROP_OFF",
        "dropoff_point_id": "1020002075314000",
        "timeslot_from": "10:00",
        "timeslot_id": 287231,
        "timeslot_to": "21:00",
        "first_mile_is_changing": False,
    },
    "timetable": {
        "timetable_from": "2025-03-11T11:57:51.811Z",
        "timetable_to": "2030-03-11T11:57:51.811Z",
        "working_hours": [],
    },
    "working_days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
}
