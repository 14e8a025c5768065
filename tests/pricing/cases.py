"""One ordinary SKU of Anna's shop, to be varied by a test, and generated ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from apps.pricing.records import LivePrice, PriceFacts, PriceRules, SendContext

D = Decimal
AS_OF = datetime(2026, 6, 1, 3, 10, tzinfo=UTC)
TODAY = date(2026, 6, 1)
ITS_TURN = TODAY.toordinal() % 21
RULES = PriceRules()


def facts(**changes: Any) -> PriceFacts:
    """Price 1000, unit costs 400 + 60, 20 % commission, 1.5 % acquiring; two sold a day, stock for 40 days."""
    ordinary: dict[str, Any] = {
        "product_id": ITS_TURN,
        "sku": "790001",
        "currency": "RUB",
        "today": TODAY,
        "as_of": AS_OF,
        "price": D(1000),
        "base_price": D(1000),
        "cost": D(400),
        "commission_rate": D("0.20"),
        "logistics": D(60),
        "acquiring_rate": D("0.015"),
        "units_per_day": D(2),
        "units_last_7": 14,
        "units_previous_7": 14,
        "in_stock_days_last_7": 7,
        "in_stock_days_previous_7": 7,
        "days_observed": 60,
        "days_since_sale": 0,
        "stock": 80,
        "inbound": 0,
    }
    return PriceFacts(**(ordinary | changes))


def context(of: PriceFacts | None = None, *, rules: PriceRules = RULES, **changes: Any) -> SendContext:
    """A moment at which everything else allows a new price for `of`."""
    of = of or facts()
    calm: dict[str, Any] = {
        "facts": of,
        "rules": rules,
        "now": AS_OF + timedelta(hours=6),
        "live": LivePrice(price=of.price, currency=of.currency, old_price=of.old_price, min_price=of.min_price),
        "expected_old": of.price,
        "old_price": D(0),
        "updates_last_hour": 0,
        "has_live_experiment": False,
        "skus_total": 300,
        "treated_others": 0,
        "shop_stopped": False,
        "all_stopped": False,
    }
    return SendContext(**(calm | changes))


def money(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(D(low), D(high), places=places)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


@st.composite
def any_facts(draw: st.DrawFn) -> PriceFacts:
    """SKUs of every kind: dear and cheap, profitable and not, with costs unknown or impossible, in four currencies."""
    price = draw(st.one_of(money("0.01", "300000"), money("-10", "60")))
    around = draw(money("0.50", "1.60"))
    cost_share = draw(money("-0.05", "1.20", places=4))
    return facts(
        price=price,
        base_price=(price * around).quantize(D("0.01")),
        currency=draw(st.sampled_from(["RUB", "UAH", "KZT", "BYN"])),
        min_price=draw(maybe(money("0.01", "300000"))),
        cost=draw(maybe(st.just((price * cost_share).quantize(D("0.01"))))),
        commission_rate=draw(maybe(money("-0.05", "1.05", places=4))),
        logistics=draw(maybe(money("-5", "500"))),
        acquiring_rate=draw(maybe(money("0", "0.05", places=4))),
        return_rate=draw(maybe(money("0", "0.50", places=4))),
        return_logistics=draw(maybe(money("0", "200"))),
        return_loss_rate=draw(maybe(money("0", "0.10", places=4))),
        extra_per_unit=draw(maybe(money("0", "100"))),
        ad_rate=draw(maybe(money("0", "0.30", places=4))),
        units_per_day=draw(maybe(money("0", "60", places=4))),
        stock=draw(maybe(st.integers(0, 20_000))),
        inbound=draw(maybe(st.integers(0, 500))),
    )


@st.composite
def sound_facts(draw: st.DrawFn) -> PriceFacts:
    """SKUs whose costs are known and which earn something, near their base price."""
    price = draw(money("20", "200000"))
    commission = draw(money("0.05", "0.45", places=4))
    margin = draw(money("0.02", "0.45", places=4))
    costs = price * max(1 - commission - D("0.015") - margin, D("0.02"))
    delivery = draw(money("0.05", "0.50"))
    return facts(
        price=price,
        base_price=(price * draw(money("0.80", "1.25"))).quantize(D("0.01")),
        currency=draw(st.sampled_from(["RUB", "UAH", "KZT", "BYN"])),
        min_price=draw(maybe(st.just((price * D("0.96")).quantize(D("0.01"))))),
        cost=(costs * (1 - delivery)).quantize(D("0.01")) + D("0.01"),
        commission_rate=commission,
        logistics=(costs * delivery).quantize(D("0.01")),
        units_per_day=draw(money("0.05", "60", places=4)),
        stock=draw(maybe(st.integers(1, 5_000))),
        inbound=draw(maybe(st.integers(0, 50))),
    )
