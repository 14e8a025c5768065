"""One ordinary SKU of Anna's shop, to be varied by a test, and generated ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from apps.pricing.records import LivePrice, OwnRules, PriceFacts, PriceRules, SendContext

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
    """Decimals of so many places, drawn as integers: ten times faster than `st.decimals`."""
    low_step, high_step = (int(D(end).scaleb(places)) for end in (low, high))
    return st.integers(low_step, high_step).map(lambda steps: D(steps).scaleb(-places))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def own_rules(price: Decimal) -> st.SearchStrategy[OwnRules]:
    """Bounds around the price, which may leave it outside or no room at all; rarely a product not to be repriced."""

    def bound(low: str, high: str) -> st.SearchStrategy[Decimal | None]:
        return maybe(money(low, high).map(lambda share: max((price * share).quantize(D("0.01")), D("0.01"))))

    return st.builds(
        OwnRules,
        min_price=bound("0.85", "1.05"),
        max_price=bound("0.95", "1.15"),
        min_margin_rate=maybe(money("0", "0.40", places=4)),
        is_repriced=st.sampled_from([True] * 7 + [False]),
    )


@st.composite
def sound_facts(draw: st.DrawFn) -> PriceFacts:
    """SKUs of every magnitude whose costs are known and which earn something, near their base price."""
    price = draw(st.one_of(money("20", "2000"), money("2000", "200000")))
    commission = draw(money("0.05", "0.25", places=4))
    margin = draw(st.one_of(money("0.08", "0.30", places=4), money("0.50", "0.68", places=4)))
    costs = price * max(1 - commission - D("0.015") - margin, D("0.05"))
    delivery = draw(money("0.05", "0.50"))
    return facts(
        price=price,
        base_price=(price * draw(money("0.85", "1.15"))).quantize(D("0.01")),
        currency=draw(st.sampled_from(["RUB", "UAH", "KZT", "BYN"])),
        min_price=draw(maybe(st.just((price * D("0.96")).quantize(D("0.01"))))),
        cost=(costs * (1 - delivery)).quantize(D("0.01")) + D("0.01"),
        commission_rate=commission,
        logistics=(costs * delivery).quantize(D("0.01")),
        units_per_day=draw(money("0.05", "60", places=4)),
        stock=draw(st.one_of(maybe(st.integers(1, 50)), st.integers(500, 5_000))),
        inbound=draw(maybe(st.integers(0, 50))),
        own=draw(st.one_of(st.just(OwnRules()), own_rules(price))),
    )


HOSTILE: dict[str, list[Any]] = {
    "price": [D(0), D(-10), D("0.01"), D(1), D(4), D(1240), D("1448.37"), D(99_999)],
    "base_price": [D(0), D(-10), D("0.01"), D(500), D(100_000)],
    "currency": ["RUB", "UAH", "KZT", "BYN"],
    "min_price": [D("0.01"), D(1000), D(99_999)],
    "cost": [None, D(0), D(-400), D("0.01"), D(99_999)],
    "commission_rate": [None, D("-0.05"), D(0), D("0.55"), D("0.90"), D("1.2"), D(20)],
    "logistics": [None, D(-60), D(0), D(5000)],
    "acquiring_rate": [None, D("-0.01"), D(0), D("0.05")],
    "return_rate": [D(0), D("0.30"), D(2)],
    "return_logistics": [D(0), D(250)],
    "return_loss_rate": [D("0.05"), D("-0.05")],
    "extra_per_unit": [D(0), D(15), D(-500)],
    "ad_rate": [D(0), D("0.25"), D("0.80")],
    "units_per_day": [None, D(0), D(-1), D(1000)],
    "stock": [None, 0, 1, 100_000],
    "inbound": [None, 0, 500],
}


@st.composite
def any_facts(draw: st.DrawFn) -> PriceFacts:
    """Sound SKUs with up to three figures unknown, impossible or out of all proportion."""
    fields = draw(st.lists(st.sampled_from(sorted(HOSTILE)), max_size=3, unique=True))
    return replace(draw(sound_facts()), **{field: draw(st.sampled_from(HOSTILE[field])) for field in fields})
