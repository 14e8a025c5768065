"""Which products a filter means: named by their ids, or by their visibility."""

from typing import Any

from apps.marketplaces.standins.catalog import FBS
from apps.marketplaces.standins.ozon_seller.ask import MOST_IDS, ids_of, numbers_of, one_of
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.world import World

HIDDEN = ("INVISIBLE", "EMPTY_STOCK")  # what has no stock is not shown to buyers
NOBODY = (
    *("NOT_MODERATED", "DISABLED", "STATE_FAILED", "VALIDATION_STATE_PENDING", "VALIDATION_STATE_FAIL"),
    *("REMOVED_FROM_SALE", "OVERPRICED", "CRITICALLY_OVERPRICED", "EMPTY_BARCODE", "QUARANTINE", "ARCHIVED"),
    *("OVERPRICED_WITH_STOCK", "PARTIAL_APPROVED", "AUTO_ARCHIVED", "MANUAL_ARCHIVED", "SEASONAL_AUTO_ARCHIVED"),
    *("TO_SUPPLY", "SHOWCASE_SELECT_ACTIVE"),
)
EVERYBODY = ("ALL", "MODERATED", "VALIDATION_STATE_SUCCESS", "BARCODE_EXISTS", "READY_TO_SUPPLY")
SHOWN = ("VISIBLE", "IN_SALE", "VISIBLE_WITH_FBO_STOCK")
VISIBILITIES = (*EVERYBODY, *SHOWN, *HIDDEN, *NOBODY)


def chosen_products(world: World, wanted: dict[str, Any], *, sku_field: str = "sku") -> list[int]:
    """Products that a filter names by their ids (in that order, unknown ids left out), or else by their visibility."""
    catalog = world.catalog
    by_offer = ids_of(wanted.get("offer_id"), "offer_id")
    by_product = numbers_of(wanted.get("product_id"), "product_id")
    by_sku = numbers_of(wanted.get(sku_field), sku_field)
    if len(by_offer) + len(by_product) + len(by_sku) > MOST_IDS:
        raise invalid(f"filter: value must contain no more than {MOST_IDS} identifiers in total")
    named = (
        *(catalog.of_offer_id(one) for one in by_offer),
        *(catalog.of_product_id(number) for number in by_product),
        *(catalog.of_sku(number) for number in by_sku),
    )
    if named:
        return list(dict.fromkeys(i for i in named if i is not None))
    return _visible(world, one_of(wanted.get("visibility") or "ALL", "visibility", VISIBILITIES))


def _visible(world: World, visibility: str) -> list[int]:
    everybody = range(world.demand.skus)
    if visibility in NOBODY:
        return []
    if visibility in EVERYBODY:
        return list(everybody)
    in_stock = world.shelf.free > 0
    if visibility == "VISIBLE_WITH_FBO_STOCK":
        in_stock = in_stock & (world.catalog.scheme != FBS)
    return [i for i in everybody if in_stock[i] == (visibility in SHOWN)]
