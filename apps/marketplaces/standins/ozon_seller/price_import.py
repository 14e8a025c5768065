"""Writing prices: /v1/product/import/prices, whose item errors come under HTTP 200.

A price is shown by the next read; it acts on demand from the next world day. Ten accepted updates of a product in an
hour of the world's clock are the limit. Codes that OZON does not document (another currency, an old price at or below
the price, a minimum above it, a raise while a promotion is frozen) are named after the nearest documented ones of its
product import.
"""

from datetime import timedelta
from typing import Any

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import Account, invalid
from apps.marketplaces.standins.ozon_seller.money import kopecks_of
from apps.marketplaces.standins.world import NewPrice, World

MOST_ITEMS, UPDATES_AN_HOUR = 1000, 10
LEAST_PRICE, LARGEST_PRICE = 1_00, 10_000_000_00
FIELDS = {
    *("offer_id", "product_id", "price", "old_price", "min_price", "net_price", "vat", "currency_code"),
    *("declared_price", "price_strategy_enabled", "auto_action_enabled", "auto_add_to_ozon_actions_list_enabled"),
    *("min_price_for_auto_actions_enabled", "manage_elastic_boosting_through_price", "quant_size"),
}
LIMIT_MESSAGE = (
    "price-batch-set for seller api: rpc error: code = ResourceExhausted desc = "
    "error limiting: acquire limit per item: items limit: limit exceeded"
)


class ItemRefused(Exception):
    """One product's price is not taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message} if code else {"message": message}


def import_prices(ask: Ask) -> dict[str, Any]:
    """POST /v1/product/import/prices"""
    ask.only("prices")
    items = ask.fields.get("prices")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise invalid(f"invalid {ask.message}.Prices: value must contain between 1 and {MOST_ITEMS} items, inclusive")
    for item in items:
        _check_shape(item)
    return {"result": [_take(ask, item) for item in items]}


def _check_shape(item: Any) -> None:
    if not isinstance(item, dict):
        raise invalid("proto: invalid value for field prices")
    unknown = sorted(set(item) - FIELDS)
    if unknown:
        raise invalid(f'proto: unknown field "{unknown[0]}"')
    for name in ("price", "old_price", "min_price"):
        if item.get(name):
            kopecks_of(item[name], name)


def _take(ask: Ask, item: dict[str, Any]) -> dict[str, Any]:
    product = _product_of(ask.world, item)
    if product is None:
        missing = [{"code": "NOT_FOUND_ERROR", "message": "product not found"}]
        named = {"product_id": int(item.get("product_id") or 0), "offer_id": str(item.get("offer_id") or "")}
        return {**named, "updated": False, "errors": missing}
    catalog = ask.world.catalog
    named = {"product_id": int(catalog.product_id[product]), "offer_id": catalog.offer_id[product]}
    try:
        new = _checked(ask.account, product, item)
        _count(ask.account, product)
    except ItemRefused as refused:
        return {**named, "updated": False, "errors": [refused.error]}
    if ask.fault is not None and ask.fault.kind is Kind.LATE_APPLY:
        ask.world.write_price_later(new, ask.fault.delay)
    elif not ask.suffers(Kind.NO_EFFECT):
        ask.world.write_price(new)
    return {**named, "updated": True, "errors": []}


def _product_of(world: World, item: dict[str, Any]) -> int | None:
    """The product of an item; where both identifiers are given `offer_id` wins."""
    if item.get("offer_id"):
        return world.catalog.of_offer_id(str(item["offer_id"]))
    number = str(item.get("product_id") or "")
    return world.catalog.of_product_id(int(number)) if number.isascii() and number.isdecimal() else None


def _checked(account: Account, product: int, item: dict[str, Any]) -> NewPrice:
    world = account.world
    if (item.get("currency_code") or "RUB") != account.currency:
        raise ItemRefused("currency_code_mismatch", f"currency_code must be {account.currency}")
    if not item.get("price"):
        raise ItemRefused("price_negative", "price isn't specified")
    price = kopecks_of(item["price"], "price")
    old_price = kopecks_of(item["old_price"], "old_price") if item.get("old_price") else None
    min_price = kopecks_of(item["min_price"], "min_price") if item.get("min_price") else None
    if price <= 0 or (old_price or 0) < 0 or (min_price or 0) < 0:
        raise ItemRefused("price_negative", "price must be greater than zero")
    if not LEAST_PRICE <= price <= LARGEST_PRICE:
        raise ItemRefused("invalid_category_price", "price is out of the range of the category")
    _check_old_price(price, int(world.old_price[product]) if old_price is None else old_price)
    if price < (int(world.min_price[product]) if min_price is None else min_price):
        raise ItemRefused("price_less_than_min_auto_price", "price is less than min_price")
    if price > int(world.price[product]) and world.promotions.freeze(product) is not None:
        raise ItemRefused("price_is_frozen", "price of a product in a frozen action can't be increased")
    return NewPrice(product, price, old_price, min_price)


def _check_old_price(price: int, old_price: int) -> None:
    """The crossed-out price must stand clearly, but not absurdly, above the price; 0 is none."""
    if old_price == 0:
        return
    if old_price <= price:
        raise ItemRefused("old_price_less_than_price", "old_price must be greater than price")
    if old_price - price >= 0.9 * old_price:
        raise ItemRefused("discount_too_big", "the discount must be less than 90%")
    gap = old_price - price
    if price < 400_00 and gap <= 20_00:
        raise ItemRefused("discount_for_low_price_is_too_small", "the discount must be more than 20 rubles")
    if 400_00 <= price <= 10_000_00 and gap * 20 <= price:
        raise ItemRefused("discount_for_average_price_is_too_small", "the discount must be more than 5%")
    if price > 10_000_00 and gap <= 500_00:
        raise ItemRefused("discount_for_top_price_is_too_small", "the discount must be more than 500 rubles")


def _count(account: Account, product: int) -> None:
    now = account.world.clock.moment()
    recent = [at for at in account.price_updates.get(product, ()) if at > now - timedelta(hours=1)]
    if len(recent) >= UPDATES_AN_HOUR:
        raise ItemRefused("", LIMIT_MESSAGE)
    account.price_updates[product] = [*recent, now]
