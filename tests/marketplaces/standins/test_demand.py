"""The demand of the world: its truth is known, it answers to prices, and no order of calls changes it."""

import numpy as np
import pytest

from apps.marketplaces.standins.demand import KINDS, Demand, poisson_quantile

PLENTY = np.full(300, 10**6)


def margins(demand: Demand) -> np.ndarray:
    return np.array([demand.unit_profit(sku, demand.price0[sku]) / demand.price0[sku] for sku in range(demand.skus)])


def test_the_order_of_calls_changes_nothing() -> None:
    forwards, backwards = Demand(3), Demand(3)
    days = [-200, -3, 0, 17, 130]
    first = [forwards.draw(day, forwards.price0, PLENTY) for day in days]
    backwards.expected(400, backwards.price0)
    second = [backwards.draw(day, backwards.price0, PLENTY) for day in reversed(days)]
    assert np.array_equal(first, second[::-1])


def test_another_seed_is_another_shop() -> None:
    assert not np.array_equal(Demand(1).price0, Demand(2).price0)
    one, two = Demand(1), Demand(2)
    assert not np.array_equal(one.draw(5, one.price0, PLENTY), two.draw(5, two.price0, PLENTY))


def test_a_dearer_price_never_sells_more_on_the_same_day() -> None:
    demand = Demand(4)
    for day in range(30):
        cheap, dear = (demand.draw(day, demand.price0 * factor, PLENTY) for factor in (0.9, 1.1))
        assert (cheap >= dear).all()


def test_the_elasticity_shows_in_what_sells() -> None:
    demand = Demand(5)
    sold, sold_dear = (
        np.sum([demand.draw(day, demand.price0 * factor, PLENTY) for day in range(300)], axis=0) for factor in (1, 1.2)
    )
    busy = demand.rate > 3
    assert np.allclose(sold_dear[busy] / sold[busy], 1.2 ** demand.elasticity[busy], atol=0.06)


def test_draws_have_the_mean_and_spread_of_a_negative_binomial() -> None:
    demand = Demand(6)
    days = range(-200, 400)
    units = np.array([demand.draw(day, demand.price0, PLENTY) for day in days])
    expected = np.array([demand.expected(day, demand.price0) for day in days])
    assert units.sum() == pytest.approx(expected.sum(), rel=0.01)
    spread = (expected + expected**2 / demand.k).sum(axis=0)
    assert (((units - expected) ** 2).sum(axis=0) / spread).mean() == pytest.approx(1, abs=0.05)


def test_the_main_world_has_the_size_and_the_tail_of_a_real_shop() -> None:
    shops = [Demand(seed) for seed in range(8)]
    totals = [np.mean([shop.expected(day, shop.price0).sum() for day in range(-200, 0, 3)]) for shop in shops]
    assert 480 < np.mean(totals) < 600
    low, middle, high = np.percentile(np.concatenate([shop.rate for shop in shops]), [10, 50, 90])
    assert (low, middle, high) == pytest.approx((0.34, 0.76, 2.9), rel=0.15)


@pytest.mark.parametrize(("kind", "low", "high"), [("indep", 0.2, 0.65), ("low", 0.1, 0.45), ("lit", 0.12, 0.5)])
def test_margins_of_a_kind_stay_in_its_bounds(kind: str, low: float, high: float) -> None:
    assert low - 0.01 <= margins(Demand(7, kind=kind)).min() < margins(Demand(7, kind=kind)).max() <= high + 0.01


def test_in_the_optimal_world_no_small_step_earns_much() -> None:
    demand = Demand(8, kind="opt")
    elastic = np.flatnonzero(demand.elasticity < -1.4).tolist()
    gains = [
        demand.true_effect(sku, demand.price0[sku], demand.price0[sku] * step)
        for sku in elastic
        for step in (0.95, 1.05)
    ]
    assert np.median(gains) < 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_product_has_a_cost_and_earns_at_its_first_price(kind: str) -> None:
    demand = Demand(9, kind=kind)
    assert (demand.cost > 0).all()
    assert (margins(demand) > 0).all()


def test_the_true_effect_is_that_of_the_formula() -> None:
    demand = Demand(10)
    margin, step = margins(demand)[0], 0.08
    price = demand.price0[0]
    by_formula = (1 + step) ** demand.elasticity[0] * (margin + 0.8 * step) / margin - 1
    assert demand.true_effect(0, price, price * (1 + step)) == pytest.approx(by_formula)


def test_it_names_no_effect_where_nothing_is_earned() -> None:
    demand = Demand(10)
    with pytest.raises(ValueError, match="SKU 0 earns nothing at 1"):
        demand.true_effect(0, 1, 2)


def test_units_never_exceed_the_stock() -> None:
    demand = Demand(11)
    stock = np.arange(300) % 3
    assert (demand.draw(0, demand.price0, stock) <= stock).all()


def test_a_promotion_raises_the_whole_shop() -> None:
    demand = Demand(12)
    promos = demand.promos(0, 400)
    assert 12 <= len(promos) <= 20
    assert all(2 <= promo.last_day - promo.first_day + 1 <= 5 for promo in promos)
    # A week earlier has the same weekdays; where it had no promotion of its own the shop sells clearly more now.
    lone = [p for p in promos if not demand.promos(p.first_day - 7, p.first_day - 7)]
    lift = [
        demand.expected(p.first_day, demand.price0).sum() / demand.expected(p.first_day - 7, demand.price0).sum()
        for p in lone
    ]
    assert np.mean(lift) > 1.25


def test_the_poisson_quantile_is_exact() -> None:
    quantile = np.array([0.0, 0.5, np.exp(-2.0) * 0.999, np.exp(-2.0) * 1.001, 0.999999])
    assert poisson_quantile(quantile, np.full(5, 2.0)).tolist() == [0, 2, 0, 1, 12]


@pytest.mark.parametrize(("kind", "seed", "skus"), [("odd", 1, 3), ("main", -1, 3), ("main", 1, 0)])
def test_it_refuses_what_it_cannot_build(kind: str, seed: int, skus: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Demand(seed, skus, kind)


def test_it_knows_no_day_before_its_first() -> None:
    with pytest.raises(ValueError, match="day must be -400 or later"):
        Demand(1).expected(-401, Demand(1).price0)
