"""Products of the imitated Seller API: list, info, attributes, the category tree."""

from typing import Any

import numpy as np

from apps.marketplaces.standins.catalog import BOTH, BRANDS, CATEGORIES, FBO, FBS, NO_BRAND
from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask, one_of
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.money import text
from apps.marketplaces.standins.ozon_seller.prices import commissions_of, info_indexes
from apps.marketplaces.standins.ozon_seller.selection import chosen_products
from apps.marketplaces.standins.ozon_seller.stocks import by_place, stock_by_scheme
from apps.marketplaces.standins.world import World

BRAND_ATTRIBUTE, NAME_ATTRIBUTE, TYPE_ATTRIBUTE = 85, 4180, 8229
NO_BRAND_VALUE, FIRST_BRAND_VALUE = 126_745_801, 971_034_861
CREATED_AT = "2025-06-02T09:15:00.000Z"


def product_list(ask: Ask) -> dict[str, Any]:
    """POST /v3/product/list"""
    ask.only("filter", "last_id", "limit")
    wanted = ask.object("filter", "offer_id", "product_id", "skus", "visibility", required=True)
    chosen = chosen_products(ask.world, wanted, sku_field="skus")
    page = ask.page(len(chosen), most=1000, cursor="last_id")
    total = 0 if ask.suffers(Kind.EMPTY_200) else len(chosen)
    items = _references(ask.world, chosen[page.start : page.stop])
    return {"result": {"items": items, "total": total, "total_items": total, "last_id": page.cursor}}


def product_info_list(ask: Ask) -> dict[str, Any]:
    """POST /v3/product/info/list"""
    ask.only("offer_id", "product_id", "sku")
    given = [name for name in ("offer_id", "product_id", "sku") if ask.fields.get(name)]
    if len(given) != 1:
        raise invalid("use either offer_id or product_id or sku")
    chosen = [] if ask.suffers(Kind.EMPTY_200) else chosen_products(ask.world, {given[0]: ask.fields[given[0]]})
    stock = by_place(ask.world)
    return {"items": [_info(ask.world, i, stock) for i in chosen]}


def product_attributes(ask: Ask) -> dict[str, Any]:
    """POST /v4/product/info/attributes"""
    ask.only("filter", "last_id", "limit", "sort_by", "sort_dir")
    wanted = ask.object("filter", "offer_id", "product_id", "sku", "visibility")
    chosen = chosen_products(ask.world, wanted)
    page = ask.page(len(chosen), most=1000, cursor="last_id")
    total = 0 if ask.suffers(Kind.EMPTY_200) else len(chosen)
    rows = [_attributes(ask.world, i) for i in chosen[page.start : page.stop]]
    return {"result": rows, "last_id": page.cursor, "total": total}


def category_tree(ask: Ask) -> dict[str, Any]:
    """POST /v1/description-category/tree"""
    ask.only("language")
    one_of(ask.fields.get("language", "DEFAULT"), "language", ("DEFAULT", "RU", "EN", "TR", "ZH_HANS"))
    sections: dict[int, dict[str, Any]] = {}
    for category in [] if ask.suffers(Kind.EMPTY_200) else CATEGORIES:
        section = sections.setdefault(category.section_id, _node(category.section_id, category.section, []))
        types = [{"type_id": n, "type_name": name, "disabled": False, "children": []} for n, name in category.types]
        section["children"].append(_node(category.category_id, category.name, types))
    return {"result": list(sections.values())}


def _references(world: World, chosen: list[int]) -> list[dict[str, Any]]:
    catalog, free = world.catalog, world.catalog.by_warehouse(world.shelf.free)
    fbo, fbs = free[:, :-1].sum(axis=1) > 0, free[:, -1] > 0
    return [
        {
            "product_id": int(catalog.product_id[i]),
            "offer_id": catalog.offer_id[i],
            "sku": int(catalog.sku[i]),
            "has_fbo_stocks": bool(fbo[i]),
            "has_fbs_stocks": bool(fbs[i]),
            "archived": False,
            "is_discounted": False,
            "quants": [],
        }
        for i in chosen
    ]


def _info(world: World, i: int, stock: tuple[Ints, Ints]) -> dict[str, Any]:
    catalog, sku = world.catalog, int(world.catalog.sku[i])
    in_stock = bool(world.shelf.free[i] > 0)
    return {
        "id": int(catalog.product_id[i]),
        "name": catalog.name[i],
        "offer_id": catalog.offer_id[i],
        "sku": sku,
        "barcodes": [f"OZN{sku}"],
        "description_category_id": catalog.category[i].category_id,
        "type_id": catalog.type[i][0],
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
        "images": [],
        "primary_image": [f"https://cdn1.ozone.ru/s3/multimedia-{i % 9 + 1}/{sku}.jpg"],
        "color_image": [],
        "currency_code": "RUB",
        "price": text(world.price[i]),
        "old_price": text(world.old_price[i]) if world.old_price[i] else "",
        "min_price": text(world.min_price[i]) if world.min_price[i] else "",
        "vat": "0.00",
        "commissions": commissions_of(world, i),
        "price_indexes": info_indexes(world, i),
        "is_archived": False,
        "is_autoarchived": False,
        "is_discounted": False,
        "is_kgt": False,
        "is_prepayment_allowed": True,
        "is_super": False,
        "discounted_fbo_stocks": 0,
        "has_discounted_fbo_item": False,
        "errors": [],
        "promotions": [],
        "model_info": {"model_id": sku, "count": 1},
        "sources": [{"sku": sku, "source": _source(catalog.scheme[i]), "created_at": CREATED_AT, **NO_QUANTS}],
        "stocks": {"has_stock": in_stock, "stocks": stock_by_scheme(world, i, stock)},
        "availabilities": [
            {
                "sku": sku,
                "source": _source(catalog.scheme[i]),
                "availability": "AVAILABLE" if in_stock else "HIDDEN",
                "reasons": [],
            }
        ],
        "statuses": STATUSES,
        "visibility_details": {"has_price": True, "has_stock": in_stock},
        "volume_weight": float(catalog.volume_weight[i]),
    }


NO_QUANTS = {"quant_code": "", "shipment_type": "SHIPMENT_TYPE_GENERAL"}
STATUSES = {
    "is_created": True,
    "moderate_status": "approved",
    "status": "price_sent",
    "status_description": "",
    "status_failed": "",
    "status_name": "Продается",
    "status_tooltip": "",
    "status_updated_at": CREATED_AT,
    "validation_status": "success",
}


def _attributes(world: World, i: int) -> dict[str, Any]:
    catalog = world.catalog
    brand = catalog.brand[i]
    brand_value = NO_BRAND_VALUE if brand == NO_BRAND else FIRST_BRAND_VALUE + BRANDS.index(brand)
    return {
        "id": int(catalog.product_id[i]),
        "barcode": f"OZN{catalog.sku[i]}",
        "barcodes": [f"OZN{catalog.sku[i]}"],
        "name": catalog.name[i],
        "offer_id": catalog.offer_id[i],
        "sku": str(catalog.sku[i]),  # declared as a string here, a number everywhere else
        "type_id": catalog.type[i][0],
        "description_category_id": catalog.category[i].category_id,
        **SIZES,
        "attributes": [
            _attribute(BRAND_ATTRIBUTE, brand_value, brand),
            _attribute(NAME_ATTRIBUTE, 0, catalog.name[i]),
            _attribute(TYPE_ATTRIBUTE, catalog.type[i][0], catalog.type[i][1]),
        ],
        "attributes_with_defaults": [],
        "complex_attributes": [],
        "model_info": {"model_id": int(catalog.sku[i]), "count": 1},
        "images": [],
        "primary_image": "",
        "color_image": "",
        "pdf_list": [],
    }


SIZES = {"height": 100, "depth": 210, "width": 140, "dimension_unit": "mm", "weight": 350, "weight_unit": "g"}


def _attribute(number: int, dictionary_value: int, value: str) -> dict[str, Any]:
    values = [{"dictionary_value_id": dictionary_value, "value": value}]
    return {"id": number, "complex_id": 0, "values": values}


def _source(scheme: np.int64) -> str:
    return {FBO: "FBO", FBS: "FBS", BOTH: "SDS"}[int(scheme)]


def _node(number: int, name: str, children: list[dict[str, Any]]) -> dict[str, Any]:
    return {"description_category_id": number, "category_name": name, "disabled": False, "children": children}
