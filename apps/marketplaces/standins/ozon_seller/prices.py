"""Prices of the imitated Seller API as /v5/product/info/prices shows them, with commissions and price indexes.

Both schemes cost the same in this world, so the unit profit does not depend on which one a reader takes: the logistics
of the demand is last mile + direct flow in FBO and first mile + direct flow + last mile in FBS, acquiring beside them.
The seller's cost is not here: `net_price` is 0, as it is for sellers who never filled it in.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.marketplaces.standins.demand import Promo
from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import invalid
from apps.marketplaces.standins.ozon_seller.money import number, of_roubles, text
from apps.marketplaces.standins.ozon_seller.posting_rows import moment
from apps.marketplaces.standins.ozon_seller.selection import chosen_products
from apps.marketplaces.standins.world import World

LAST_MILE, FIRST_MILE = 0.3, 0.2  # shares of the logistics
PROMO_TITLE = "Распродажа недели"


def product_prices(ask: Ask) -> dict[str, Any]:
    """POST /v5/product/info/prices"""
    ask.only("cursor", "filter", "limit")
    wanted = ask.object("filter", "offer_id", "product_id", "visibility", required=True)
    chosen = chosen_products(ask.world, wanted)
    page = ask.page(len(chosen), most=1000)
    total = 0 if ask.suffers(Kind.EMPTY_200) else len(chosen)
    actions = _marketing_actions(ask.world)
    items = [_item(ask.world, i, actions) for i in chosen[page.start : page.stop]]
    return {"items": items, "cursor": page.cursor, "total": total, "total_items": total}


def price_timers(ask: Ask) -> dict[str, Any]:
    """POST /v1/product/action/timer/status: until when minimum prices are in force."""
    ask.only("product_ids")
    named = chosen_products(ask.world, {"product_id": ask.fields.get("product_ids")})
    chosen = [] if ask.suffers(Kind.EMPTY_200) or not ask.fields.get("product_ids") else named
    return {"statuses": [_timer(ask.world, i) for i in chosen]}


def renew_price_timers(ask: Ask) -> dict[str, Any]:
    """POST /v1/product/action/timer/update: thirty days more; there is nothing to say but that it is done."""
    ask.only("product_ids")
    if not ask.fields.get("product_ids"):
        raise invalid(f"invalid {ask.message}.ProductIds: value is required")
    if not ask.suffers(Kind.NO_EFFECT):
        for i in chosen_products(ask.world, {"product_id": ask.fields["product_ids"]}):
            ask.world.renew_minimum(i)
    return {}


def commissions_of(world: World, i: int) -> list[dict[str, Any]]:
    """Commissions the way /v3/product/info/list words them."""
    fees = _fees(world, i)
    percent = _percent(world, i)
    value = number(round(int(world.price[i]) * percent / 100))
    delivery = {"FBO": fees["fbo_direct_flow_trans_min_amount"], "FBS": fees["fbs_direct_flow_trans_min_amount"]}
    return [
        {"sale_schema": schema, "percent": percent, "value": value, "delivery_amount": flow, "return_amount": flow}
        for schema, flow in delivery.items()
    ]


def info_indexes(world: World, i: int) -> dict[str, Any]:
    """The price index the way /v3/product/info/list words it: strings, other key names, a prefixed colour."""
    color, rival, value = _index(world, i)
    nothing = {"minimal_price": "", "minimal_price_currency": "RUB", "price_index_value": 0}
    known = {"minimal_price": text(rival), "minimal_price_currency": "RUB", "price_index_value": value}
    return {
        "color_index": f"COLOR_INDEX_{color}",
        "ozon_index_data": known if rival else nothing,
        "external_index_data": nothing,
        "self_marketplaces_index_data": nothing,
    }


def _item(world: World, i: int, actions: dict[str, Any]) -> dict[str, Any]:
    percent = _percent(world, i)
    return {
        "product_id": int(world.catalog.product_id[i]),
        "offer_id": world.catalog.offer_id[i],
        "volume_weight": float(world.catalog.volume_weight[i]),
        "acquiring": float(world.demand.acquiring[i]),
        "price": {
            "price": number(world.price[i]),
            "old_price": number(world.old_price[i]),
            "min_price": number(world.min_price[i]),
            "marketing_seller_price": number(world.price[i]),
            "net_price": 0,
            "retail_price": 0,
            "vat": 0,
            "currency_code": "RUB",
            "auto_action_enabled": False,
            "auto_add_to_ozon_actions_list_enabled": False,
        },
        "commissions": {f"sales_percent_{scheme}": percent for scheme in ("fbo", "fbs", "rfbs", "fbp")}
        | _fees(world, i),
        "marketing_actions": actions,
        "price_indexes": _indexes(world, i),
    }


def _timer(world: World, i: int) -> dict[str, Any]:
    ends = int(world.minimum_ends[i])
    return {
        "product_id": int(world.catalog.product_id[i]),
        "expired_at": moment(world.book.day_bounds(ends)[0]) if ends > world.day else None,
        "min_price_for_auto_actions_enabled": ends > world.day,
    }


def _percent(world: World, i: int) -> int | float:
    return number(round(float(world.demand.commission[i]) * 10_000))


def _fees(world: World, i: int) -> dict[str, int | float]:
    whole = of_roubles(world.demand.logistics[i]) - of_roubles(world.demand.acquiring[i])
    last, first = round(whole * LAST_MILE), round(whole * FIRST_MILE)
    fbo_flow, fbs_flow = number(whole - last), number(whole - last - first)
    return {
        "fbo_deliv_to_customer_amount": number(last),
        "fbo_direct_flow_trans_min_amount": fbo_flow,
        "fbo_direct_flow_trans_max_amount": fbo_flow,
        "fbo_return_flow_amount": fbo_flow,
        "fbs_deliv_to_customer_amount": number(last),
        "fbs_direct_flow_trans_min_amount": fbs_flow,
        "fbs_direct_flow_trans_max_amount": fbs_flow,
        "fbs_first_mile_min_amount": number(first),
        "fbs_first_mile_max_amount": number(first),
        "fbs_return_flow_amount": fbs_flow,
    }


def _indexes(world: World, i: int) -> dict[str, Any]:
    color, rival, value = _index(world, i)
    nothing = {"min_price": 0, "min_price_currency": "RUB", "price_index_value": 0}
    known = {"min_price": number(rival), "min_price_currency": "RUB", "price_index_value": value}
    return {
        "color_index": color,
        "ozon_index_data": known if rival else nothing,
        "external_index_data": nothing,
        "self_marketplaces_index_data": nothing,
    }


def _index(world: World, i: int) -> tuple[str, int, float]:
    """Colour, the rivals' price in kopecks (0: none known) and the index: above 1 is dearer than they are."""
    rival = int(world.rival_price[i])
    if not rival:
        return "WITHOUT_INDEX", 0, 0
    value = round(int(world.price[i]) / rival, 2)
    color = next((name for name, most in (("SUPER", 0.9), ("GREEN", 1.0), ("YELLOW", 1.05)) if value <= most), "RED")
    return color, rival, value


def _marketing_actions(world: World) -> dict[str, Any]:
    """OZON's promotions that run today; OZON pays for them, so no price of the seller changes."""
    running = world.demand.promos(world.day, world.day)
    periods = [_period(world, promo) for promo in running]
    return {
        "current_period_from": periods[0][0] if periods else None,
        "current_period_to": periods[-1][1] if periods else None,
        "ozon_actions_exist": bool(periods),
        "actions": [{"title": PROMO_TITLE, "value": 0, "date_from": first, "date_to": last} for first, last in periods],
    }


def _period(world: World, promo: Promo) -> tuple[str, str]:
    first, _ = world.book.day_bounds(promo.first_day)
    _, after = world.book.day_bounds(promo.last_day)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = (epoch + timedelta(microseconds=edge) for edge in (first, after - 1_000_000))
    opens, closes = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments)
    return opens, closes
