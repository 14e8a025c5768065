"""Promotions of the imitated Seller API: GET /v1/actions and /v2/actions/products."""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import NOT_FOUND, Refused
from apps.marketplaces.standins.ozon_seller.money import amount
from apps.marketplaces.standins.promotions import Member, Offer
from apps.marketplaces.standins.world import World

NEVER_ENDS = "9999-12-31T20:59:59.997Z"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def promotions(ask: Ask) -> dict[str, Any]:
    """GET /v1/actions"""
    ask.only()
    offers = [] if ask.suffers(Kind.EMPTY_200) else ask.world.promotions.offers
    return {"result": [_promotion(ask.world, offer) for offer in offers]}


def promotion_products(ask: Ask) -> dict[str, Any]:
    """POST /v2/actions/products"""
    ask.only("action_id", "last_id", "limit")
    number = ask.fields.get("action_id")
    if number not in [offer.number for offer in ask.world.promotions.offers]:
        raise Refused(404, NOT_FOUND, "Resource not found")
    members = ask.world.promotions.members(number)
    page = ask.page(len(members), most=100, cursor="last_id")
    products = [_product(ask.world, member) for member in members[page.start : page.stop]]
    total = 0 if ask.suffers(Kind.EMPTY_200) else len(members)
    return {"products": products, "last_id": page.cursor, "total": total}


def _promotion(world: World, offer: Offer) -> dict[str, Any]:
    count = len(world.promotions.members(offer.number))
    first = _edge(world, offer.first_day)
    return {
        "id": offer.number,
        "title": offer.title,
        "action_type": "STOCK_DISCOUNT" if offer.last_day is not None else "MARKETPLACE_MULTI_LEVEL_DISCOUNT_ON_AMOUNT",
        "description": f"<b>{offer.title}</b>",
        "date_start": first,
        "date_end": NEVER_ENDS if offer.last_day is None else _edge(world, offer.last_day + 1, seconds=-1),
        "auto_add_dates": [],
        "freeze_date": first if offer.freezes else "",
        "potential_products_count": world.demand.skus - count,
        "participating_products_count": count,
        "is_participating": count > 0,
        "is_voucher_action": False,
        "banned_products_count": 0,
        "with_targeting": False,
        "order_amount": 0,
        "discount_type": "CURRENCY",
        "discount_value": 0,
    }


def _product(world: World, member: Member) -> dict[str, Any]:
    action_price, max_price = member.terms
    return {
        "id": int(world.catalog.product_id[member.product]),
        "price": amount(world.price[member.product]),
        "action_price": amount(action_price),
        "max_action_price": amount(max_price),
        "alert_max_action_price": amount(max_price),
        "alert_max_action_price_failed": False,
        "add_mode": "AUTO" if member.offer.freezes else "SELLER",
        "stock": 0,
        "min_stock": 0,
        "recommended_stock": 0,
        "current_boost": 0,
        "min_boost": 0,
        "max_boost": 0,
        "is_quarantined": False,
    }


def _edge(world: World, day: int, *, seconds: int = 0) -> str:
    """The first moment of a shop day, or some seconds after it."""
    opens, _ = world.book.day_bounds(day)
    return (EPOCH + timedelta(microseconds=opens, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
