from __future__ import annotations

import numpy as np
import pytest

from apps.inventory import reorder
from apps.inventory.reorder import Need, Supply, demand_quantile, drift, need, service_level
from apps.marketplaces.standins.demand import Demand
from apps.sales.rates import RATE_DAYS, daily_rates

SUPPLY = Supply()


def always(units: np.ndarray) -> np.ndarray:
    return np.ones(units.shape, dtype=bool)


@pytest.mark.parametrize(("mean", "kappa"), [(0.3, 0.0), (2.0, 0.05), (15.0, 0.2), (900.0, 0.05)])
def test_the_quantile_is_that_of_the_negative_binomial(mean: float, kappa: float) -> None:
    variance = 1.15 * mean + kappa * mean**2
    draws = np.random.default_rng(1).negative_binomial(mean**2 / (variance - mean), mean / variance, size=400_000)
    point = demand_quantile(mean, kappa=kappa, level=0.95)
    assert (draws <= point).mean() >= 0.95 - 0.002
    assert (draws <= point - 1).mean() < 0.95 + 0.002


def test_nothing_sold_needs_nothing() -> None:
    assert demand_quantile(0.0, kappa=0.05, level=0.95) == 0
    assert need(rate=0.0, stock=0, inbound=0, level=0.95, kappa=0.05, supply=SUPPLY) == Need(0, 0)


def test_it_orders_up_to_the_point_and_a_cycle_at_the_point() -> None:
    point = demand_quantile(2.0 * 15, kappa=0.05, level=0.95)
    assert need(rate=2.0, stock=point + 1, inbound=0, level=0.95, kappa=0.05, supply=SUPPLY) == Need(point, 0)
    assert need(rate=2.0, stock=point, inbound=0, level=0.95, kappa=0.05, supply=SUPPLY) == Need(point, 42)
    assert need(rate=2.0, stock=0, inbound=0, level=0.95, kappa=0.05, supply=SUPPLY) == Need(point, point + 42)


@pytest.mark.parametrize(
    ("supply", "order"),
    [
        (Supply(pack_size=12), 96),  # 91 units in packs of 12
        (Supply(pack_size=91), 91),
        (Supply(min_order=200), 200),
        (Supply(min_order=90), 91),
        (Supply(pack_size=12, min_order=100), 108),
    ],
)
def test_an_order_comes_in_whole_packs_and_is_never_too_small(supply: Supply, order: int) -> None:
    point = demand_quantile(2.0 * 15, kappa=0.05, level=0.95)
    assert need(rate=2.0, stock=point + 42 - 91, inbound=0, level=0.95, kappa=0.05, supply=supply).order == order


def test_packs_make_no_order_where_none_is_due() -> None:
    packs = Supply(pack_size=12, min_order=100)
    assert need(rate=2.0, stock=900, inbound=0, level=0.95, kappa=0.05, supply=packs).order == 0


def test_what_is_on_the_way_counts() -> None:
    point = demand_quantile(30.0, kappa=0.05, level=0.95)
    assert need(rate=2.0, stock=5, inbound=point, level=0.95, kappa=0.05, supply=SUPPLY).order == 0
    assert need(rate=2.0, stock=5, inbound=10, level=0.95, kappa=0.05, supply=SUPPLY).order == point + 42 - 15


def test_a_longer_way_needs_an_earlier_order() -> None:
    near, far = (
        need(rate=1.0, stock=0, inbound=0, level=0.95, kappa=0.05, supply=Supply(lead_days=lead)) for lead in (7, 30)
    )
    assert near.point < far.point


def test_the_level_weighs_a_lost_sale_against_a_cycle_of_keeping() -> None:
    # 10 of margin against 500 x 0.1 % x 21 days = 10.5 of holding is below the cap; 300 would be above it.
    assert service_level(10.0, 500.0, SUPPLY) == reorder.LOWEST_LEVEL
    assert service_level(200.0, 500.0, SUPPLY) == pytest.approx(200 / 210.5)
    assert service_level(3000.0, 500.0, SUPPLY) == reorder.HIGHEST_LEVEL
    assert service_level(-5.0, 500.0, SUPPLY) == reorder.LOWEST_LEVEL


@pytest.mark.parametrize(("margin", "cost"), [(None, 500.0), (100.0, None)])
def test_an_unknown_margin_is_not_a_bad_one(margin: float | None, cost: float | None) -> None:
    assert service_level(margin, cost, SUPPLY) == reorder.DEFAULT_LEVEL


def shop(*, sku_drift: float, products: int = 300, length: int = 140, seed: int = 4) -> np.ndarray:
    """Orders of products whose rates wander by `sku_drift` (log scale) around their own level from week to week."""
    random = np.random.default_rng(seed)
    rates = np.exp(random.normal(0.5, 1.0, size=(products, 1)))
    weeks = np.exp(random.normal(0, sku_drift, size=(products, length // 7))).repeat(7, axis=1)
    mean = rates * weeks
    return random.negative_binomial(mean / 0.15, 1 / 1.15)


def test_the_drift_is_found_where_there_is_one() -> None:
    calm, restless = (
        drift(units, always(units), window_days=15) for units in (shop(sku_drift=0.0), shop(sku_drift=0.5))
    )
    assert calm < 0.03
    assert 0.08 < restless < 0.4


def test_too_few_windows_give_the_usual_drift() -> None:
    units = shop(sku_drift=0.5, products=5)
    assert drift(units, always(units), window_days=15) == reorder.DEFAULT_DRIFT
    assert drift(units[:, :30], always(units[:, :30]), window_days=15) == reorder.DEFAULT_DRIFT


@pytest.mark.parametrize("sku_drift", [0.0, 0.3])
def test_the_stock_lasts_as_often_as_promised(sku_drift: float) -> None:
    """Orders at the reorder point for 95 %: the demand of the next 15 days stays within it in about 95 of 100 cases."""
    units = shop(sku_drift=sku_drift, seed=9)
    past, future = units[:, :-15], units[:, -15:].sum(axis=1)
    kappa = drift(past, always(past), window_days=15)
    rates = daily_rates(past[:, -RATE_DAYS:], always(past[:, -RATE_DAYS:]))
    points = np.array([demand_quantile(rate * 15, kappa=kappa, level=0.95) for rate in rates])
    assert 0.92 <= (future <= points).mean() <= 0.99
    assert (future <= rates * 15).mean() < 0.65  # the mean itself does not last


def test_it_lasts_in_a_shop_with_promotions_trends_and_rivals_too() -> None:
    hits = []
    for seed in (31, 32):
        demand = Demand(seed)
        plenty = np.full(len(demand.price0), 10**6)
        units = np.array([demand.draw(day, demand.price0, plenty) for day in range(130)]).T
        past, future = units[:, 23:115], units[:, 115:].sum(axis=1)
        kappa = drift(past, always(past), window_days=15)
        rates = daily_rates(past[:, -RATE_DAYS:], always(past[:, -RATE_DAYS:]))
        hits += [
            sold <= demand_quantile(rate * 15, kappa=kappa, level=0.95)
            for sold, rate in zip(future, rates, strict=True)
        ]
    assert 0.92 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize("field", ["lead_days", "review_days", "cycle_days", "pack_size", "min_order"])
def test_supply_names_what_is_wrong(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Supply(**{field: 0})
    with pytest.raises(ValueError, match="holding_rate_per_day"):
        Supply(holding_rate_per_day=-0.1)
