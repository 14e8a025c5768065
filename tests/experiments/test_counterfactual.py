"""The counterfactual: validity of days, the shop's index, the baseline."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.experiments.counterfactual import (
    DEFAULT_NOISE,
    IN_STOCK,
    MIN_CONTROLS,
    OUT_OF_STOCK,
    UNKNOWN_STOCK,
    Counterfactual,
    Noise,
    Panel,
    ShopWindow,
    log_chance_of_no_sale,
    stock_of_days,
    valid_days,
)

PRE = 56


def panel(
    units: Sequence[Sequence[int]] | np.ndarray,
    *,
    stock: np.ndarray | None = None,
    categories: Sequence[int] | np.ndarray | None = None,
    treated: Sequence[int] = (0,),
) -> Panel:
    """In stock throughout, one category, the first SKU treated, unless said otherwise."""
    rows = np.asarray(units, dtype=np.int64)
    controls = np.ones(len(rows), dtype=bool)
    controls[list(treated)] = False
    return Panel(
        units=rows,
        stock=np.full(rows.shape, IN_STOCK, dtype=np.int8) if stock is None else stock.astype(np.int8),
        categories=np.zeros(len(rows), dtype=int) if categories is None else np.asarray(categories),
        controls=controls,
    )


def random_panel(seed: int, skus: int = 40, days: int = PRE + 7) -> Panel:
    numbers = np.random.default_rng(seed)
    rates = numbers.lognormal(0, 1, (skus, 1))
    return panel(
        numbers.poisson(rates, (skus, days)),
        stock=numbers.choice([IN_STOCK, OUT_OF_STOCK], size=(skus, days), p=[0.9, 0.1]),
        categories=numbers.integers(0, 4, skus),
        treated=(0, 1, 2, 3),
    )


def by_the_book(shop: Panel, sku: int, t0: int, days: int) -> tuple[float, float, float, list[float]]:
    """Expected units, shape, category factor and index of one SKU, in loops, formula by formula."""
    first, end = max(0, t0 - 56), t0 + days
    units = shop.units.tolist()
    valid = (shop.stock == IN_STOCK).tolist()
    controls = [c for c in range(len(units)) if shop.controls[c] and c != sku]
    rate = {
        c: (sum(units[c][t] for t in range(first, t0) if valid[c][t]) + 0.05)
        / (sum(valid[c][t] for t in range(first, t0)) + 0.5)
        for c in controls
    }
    weight = {c: 1 / (1 + 0.15 * rate[c]) for c in controls}
    index = {}
    for t in range(first, end):
        due = sum(weight[c] * rate[c] for c in controls if valid[c][t])
        index[t] = sum(weight[c] * units[c][t] for c in controls if valid[c][t]) / due if due else 1.0
    peers = [c for c in controls if shop.categories[c] == shop.categories[sku]]
    cells = [(c, t) for c in peers for t in range(t0, end) if valid[c][t]]
    sold = sum(weight[c] * units[c][t] for c, t in cells)
    factor = (sold + 20) / (sum(weight[c] * rate[c] * index[t] for c, t in cells) + 20)
    omega = {t: 0.5 ** ((t0 - 1 - t) / 21) for t in range(first, t0) if valid[sku][t]}
    a = 0.5 + sum(omega[t] * units[sku][t] for t in omega)
    b = 1 + sum(omega[t] * index[t] for t in omega)
    expected = a / b * factor * sum(index[t] for t in range(t0, end) if valid[sku][t])
    return expected, a, factor, [index[t] for t in range(first, end)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sku", [0, 3, 4, 39])
def test_it_follows_the_formulas_for_treated_products_and_placebos(seed: int, sku: int) -> None:
    shop = random_panel(seed)
    found = ShopWindow(shop, t0=PRE, days=7).of(sku)
    expected, shape, factor, index = by_the_book(shop, sku, PRE, 7)
    assert found.expected == pytest.approx(expected, rel=1e-12)
    assert found.shape == pytest.approx(shape, rel=1e-12)
    assert found.category_factor == pytest.approx(factor, rel=1e-12)
    assert found.index_change == pytest.approx(np.mean(index[PRE:]) / np.mean(index[:PRE]) - 1, rel=1e-9)
    post = slice(PRE, PRE + 7)
    assert found.observed == shop.units[sku, post][shop.stock[sku, post] == IN_STOCK].sum()
    assert found.controls == (36 if sku < 4 else 35)


@pytest.mark.parametrize("sku", [0, 39])
def test_its_days_add_up_to_the_window(sku: int) -> None:
    window = ShopWindow(random_panel(4), t0=PRE, days=7)
    whole, days = window.of(sku), window.days_of(sku)

    counted = days.valid & (np.arange(PRE + 7) >= PRE)
    assert days.expected[counted].sum() == pytest.approx(whole.expected, rel=1e-12)
    assert days.units[counted].sum() == whole.observed
    assert (counted.sum(), days.valid[:PRE].sum()) == (whole.valid_days, whole.baseline_days)


def test_the_baseline_is_expected_at_the_products_own_rate_without_the_move_of_its_category() -> None:
    days = ShopWindow(random_panel(4), t0=PRE, days=7).days_of(0)
    assert days.expected[:PRE] == pytest.approx(days.rate * days.index[:PRE])
    assert days.expected[PRE:] == pytest.approx(days.rate * days.factor * days.index[PRE:])
    assert days.factor != 1


@pytest.mark.parametrize("days", [1, 7, 14, 28])
def test_it_judges_any_number_of_days_and_only_the_last_56_before(days: int) -> None:
    shop = random_panel(9, days=80 + 28)
    found = ShopWindow(shop, t0=80, days=days).of(0)
    assert found.expected == pytest.approx(by_the_book(shop, 0, 80, days)[0], rel=1e-12)
    assert (found.days, found.baseline_days) == (days, int((shop.stock[0, 24:80] == IN_STOCK).sum()))


def test_one_day_of_three_units_is_a_rate_of_one_and_three_quarters() -> None:
    found = ShopWindow(panel([[3] + [1] * 7]), t0=1, days=7).of(0)
    assert found == Counterfactual(
        expected=7 * 3.5 / 2,
        observed=7,
        shape=3.5,
        days=7,
        valid_days=7,
        baseline_days=1,
        inferred_days=0,
        controls=0,
        category_factor=1.0,
        index_change=None,
    )


def test_a_sale_three_weeks_old_counts_half() -> None:
    stock = np.array([[IN_STOCK] + [OUT_OF_STOCK] * 21 + [IN_STOCK] * 7])
    found = ShopWindow(panel([[4] + [0] * 28], stock=stock), t0=22, days=7).of(0)
    assert found.shape == 0.5 + 4 * 0.5
    assert found.expected == pytest.approx(7 * 2.5 / 1.5)


def test_a_shop_that_doubles_doubles_what_is_expected() -> None:
    calm = ShopWindow(panel([[1] * (PRE + 7)] * 21), t0=PRE, days=7).of(0)
    doubled = ShopWindow(panel([[1] * (PRE + 7)] + [[1] * PRE + [2] * 7] * 20), t0=PRE, days=7).of(0)
    assert doubled.expected == pytest.approx(2 * calm.expected)
    assert doubled.index_change == pytest.approx(1.0)
    assert doubled.category_factor == pytest.approx(1.0)
    assert calm.index_change == pytest.approx(0.0)


def test_a_category_that_moves_against_the_shop_moves_its_own_products_only() -> None:
    flat, doubled = [1] * (PRE + 7), [1] * PRE + [2] * 7
    shop = panel([flat, flat] + [doubled] * 10 + [flat] * 10, categories=[1, 0] + [1] * 10 + [0] * 10, treated=(0, 1))
    window = ShopWindow(shop, t0=PRE, days=7)
    assert window.of(0).category_factor > 1 > window.of(1).category_factor


def test_a_control_is_left_out_of_its_own_index() -> None:
    shop = random_panel(3)
    moved = shop.units.copy()
    moved[10, PRE:] += 50
    before, after = (
        ShopWindow(Panel(units, shop.stock, shop.categories, shop.controls), t0=PRE, days=7).of(10)
        for units in (shop.units, moved)
    )
    assert after.observed > before.observed
    assert after.expected == pytest.approx(before.expected, rel=1e-9)


def test_a_treated_product_does_not_move_the_index_of_another() -> None:
    shop = random_panel(4)
    moved = shop.units.copy()
    moved[1] += 99
    before, after = (
        ShopWindow(Panel(units, shop.stock, shop.categories, shop.controls), t0=PRE, days=7).of(0)
        for units in (shop.units, moved)
    )
    assert after == before


def test_the_window_gives_the_same_answer_however_often_it_is_asked() -> None:
    shop = random_panel(5)
    window = ShopWindow(shop, t0=PRE, days=7)
    answers = [window.of(sku) for sku in (0, 7, 0)]
    assert answers[0] == answers[2] == ShopWindow(shop, t0=PRE, days=7).of(0)


@pytest.mark.parametrize(("controls", "indexed"), [(MIN_CONTROLS - 1, False), (MIN_CONTROLS, True)])
def test_too_few_controls_make_no_index(controls: int, indexed: bool) -> None:
    shop = panel([[1] * (PRE + 7)] + [[1] * PRE + [2] * 7] * controls)
    found = ShopWindow(shop, t0=PRE, days=7).of(0)
    assert found.controls == controls
    assert (found.index_change is not None) is indexed
    assert (found.expected > 10) is indexed


def test_days_without_stock_count_on_neither_side() -> None:
    units = np.ones((1, PRE + 7), dtype=int)
    units[0, -3:] = 0
    stock = np.full(units.shape, IN_STOCK)
    stock[0, -3:] = OUT_OF_STOCK
    found = ShopWindow(panel(units, stock=stock), t0=PRE, days=7).of(0)
    whole = ShopWindow(panel(np.ones((1, PRE + 7))), t0=PRE, days=7).of(0)
    assert (found.observed, found.valid_days, found.days) == (4, 4, 7)
    assert found.expected == pytest.approx(whole.expected * 4 / 7)


def test_a_product_that_never_sold_is_expected_to_sell_next_to_nothing() -> None:
    found = ShopWindow(panel([[0] * (PRE + 7)] + [[1] * (PRE + 7)] * 20), t0=PRE, days=7).of(0)
    assert found.measured
    assert 0 < found.expected < 0.2
    assert found.shape == 0.5


def test_nothing_is_measured_without_valid_days() -> None:
    stock = np.full((21, PRE + 7), IN_STOCK)
    stock[0, PRE:] = OUT_OF_STOCK
    found = ShopWindow(panel(np.ones((21, PRE + 7)), stock=stock), t0=PRE, days=7).of(0)
    assert not found.measured
    assert (found.valid_days, found.expected, found.observed) == (0, 0, 0)


@pytest.mark.parametrize("t0", [0, 1])
def test_nothing_is_measured_without_a_baseline(t0: int) -> None:
    stock = np.full((21, t0 + 7), IN_STOCK)
    stock[:, :t0] = OUT_OF_STOCK
    found = ShopWindow(panel(np.ones((21, t0 + 7)), stock=stock), t0=t0, days=7).of(0)
    assert (found.measured, found.baseline_days) == (False, 0)


def test_nothing_is_measured_while_the_whole_shop_sells_nothing() -> None:
    found = ShopWindow(panel([[1] * PRE + [0] * 7] * 21), t0=PRE, days=7).of(0)
    assert not found.measured
    assert (found.expected, found.index_change, found.valid_days) == (0, -1, 7)


def test_a_shop_without_any_sale_has_no_change_to_report() -> None:
    found = ShopWindow(panel(np.zeros((21, PRE + 7))), t0=PRE, days=7).of(0)
    assert (found.index_change, found.measured) == (None, False)


def test_a_day_on_which_no_control_was_valid_has_an_index_of_one() -> None:
    stock = np.full((21, PRE + 7), IN_STOCK)
    stock[1:, PRE] = OUT_OF_STOCK
    shop = panel([[1] * (PRE + 7)] + [[1] * PRE + [3] * 7] * 20, stock=stock)
    index = by_the_book(shop, 0, PRE, 7)[3]
    assert index[PRE] == 1.0
    assert ShopWindow(shop, t0=PRE, days=7).of(0).expected == pytest.approx(by_the_book(shop, 0, PRE, 7)[0])


def negative_binomial_zero(mean: float, noise: Noise) -> float:
    variance = noise.phi * mean + noise.sig2 * mean**2
    size = mean**2 / (variance - mean)
    return math.exp(-size * math.log(1 + mean / size))


@pytest.mark.parametrize("mean", [0.01, 1.0, 5.5, 80.0])
@pytest.mark.parametrize("noise", [DEFAULT_NOISE, Noise(1.0, 0.02)])
def test_the_chance_of_no_sale_is_the_negative_binomial_one(mean: float, noise: Noise) -> None:
    assert math.exp(log_chance_of_no_sale(np.array([mean]), noise)[0]) == pytest.approx(
        negative_binomial_zero(mean, noise)
    )


def unknown_stock(units: Sequence[int]) -> np.ndarray:
    rows = np.array([units], dtype=float)
    return valid_days(rows, np.full(rows.shape, UNKNOWN_STOCK, np.int8), pre=rows.shape[1], noise=DEFAULT_NOISE)[0]


def test_an_empty_run_is_left_out_where_chance_explains_it_in_less_than_one_case_of_a_hundred() -> None:
    shortest = next(
        n for n in range(1, 50) if negative_binomial_zero(n * (40 + 0.05) / (40 + n + 0.5), DEFAULT_NOISE) < 0.01
    )
    assert shortest == 7
    for length in (shortest - 1, shortest):
        valid = unknown_stock([1] * 20 + [0] * length + [1] * 20)
        assert valid[20 : 20 + length].all() == (length < shortest)
        assert valid[:20].all()
        assert valid[20 + length :].all()


def test_a_rate_freed_of_one_long_run_may_show_up_another() -> None:
    assert (
        negative_binomial_zero(4 * 32.05 / 50.5, DEFAULT_NOISE)
        > 0.01
        > negative_binomial_zero(4 * 32.05 / 20.5, DEFAULT_NOISE)
    )
    valid = unknown_stock([2] * 8 + [0] * 4 + [2] * 8 + [0] * 30)
    assert valid.tolist() == [True] * 8 + [False] * 4 + [True] * 8 + [False] * 30


def test_a_slow_product_may_rest_for_weeks() -> None:
    assert unknown_stock([0] * 20 + [1] + [0] * 20).all()


def test_known_stock_is_believed_whatever_the_sales_say() -> None:
    rows = np.array([[5] * 30 + [0] * 10 + [5] * 16], dtype=float)
    stock = np.full(rows.shape, UNKNOWN_STOCK, np.int8)
    stock[0, 30:40] = IN_STOCK
    assert valid_days(rows, stock, pre=56, noise=DEFAULT_NOISE).all()
    stock[0, :5] = OUT_OF_STOCK
    assert not valid_days(rows, stock, pre=56, noise=DEFAULT_NOISE)[0, :5].any()


def test_a_known_day_divides_an_unknown_run() -> None:
    rows = np.array([[1] * 20 + [0] * 9 + [1] * 20], dtype=float)
    stock = np.full(rows.shape, UNKNOWN_STOCK, np.int8)
    assert not valid_days(rows, stock, pre=49, noise=DEFAULT_NOISE)[0, 20:29].any()
    stock[0, 24] = IN_STOCK
    assert valid_days(rows, stock, pre=49, noise=DEFAULT_NOISE).all()


def test_runs_of_neighbouring_products_are_not_joined() -> None:
    rows = np.array([[1] * 30 + [0] * 4, [0] * 4 + [1] * 30], dtype=float)
    assert valid_days(rows, np.full(rows.shape, UNKNOWN_STOCK, np.int8), pre=34, noise=DEFAULT_NOISE).all()


def test_an_unknown_empty_week_after_the_change_is_not_held_against_it() -> None:
    units = [[1] * PRE + [0] * 7] + [[1] * (PRE + 7)] * 20
    stock = np.full((21, PRE + 7), IN_STOCK)
    stock[0, PRE:] = UNKNOWN_STOCK
    found = ShopWindow(panel(units, stock=stock), t0=PRE, days=7).of(0)
    assert (found.valid_days, found.inferred_days, found.measured) == (0, 7, False)


def test_it_counts_the_days_whose_stock_it_inferred() -> None:
    stock = np.full((21, PRE + 9), IN_STOCK)
    stock[0, : PRE - 6] = UNKNOWN_STOCK  # the first two of these lie before the window
    found = ShopWindow(panel(np.ones((21, PRE + 9)), stock=stock), t0=PRE + 2, days=7).of(0)
    assert (found.inferred_days, found.baseline_days) == (PRE - 8, PRE)


def test_a_day_needs_stock_on_both_its_mornings() -> None:
    mornings = np.array([[1, 1, 0, -1, 1, -1, -1, 0, 1]], dtype=np.int8)
    assert stock_of_days(mornings).tolist() == [[1, 0, 0, -1, -1, -1, 0, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": np.zeros(3, int)}, "SKUs x days"),
        ({"stock": np.ones((2, 4), np.int8)}, "SKUs x days"),
        ({"categories": np.zeros(3, int)}, "categories must have one value for each of 2 SKUs"),
        ({"controls": np.zeros(1, bool)}, "controls must have one value for each of 2 SKUs"),
        ({"units": np.full((2, 5), -1)}, "units must not be negative"),
        ({"stock": np.full((2, 5), 2, np.int8)}, "1 .in stock., 0 .out of stock. or -1 .unknown."),
    ],
)
def test_it_refuses_a_panel_that_does_not_fit(change: dict[str, np.ndarray], message: str) -> None:
    fields: dict[str, np.ndarray] = {
        "units": np.zeros((2, 5), int),
        "stock": np.ones((2, 5), np.int8),
        "categories": np.zeros(2, int),
        "controls": np.ones(2, bool),
    }
    with pytest.raises(ValueError, match=message):
        Panel(**(fields | change))


@pytest.mark.parametrize(("t0", "days"), [(-1, 7), (0, 0), (4, 2)])
def test_it_refuses_a_window_outside_the_panel(t0: int, days: int) -> None:
    with pytest.raises(ValueError, match="do not fit a panel of 5 days"):
        ShopWindow(panel(np.ones((2, 5))), t0=t0, days=days)


@pytest.mark.parametrize(("phi", "sig2"), [(0.9, 0.05), (1.2, 0.0)])
def test_it_refuses_noise_below_that_of_chance(phi: float, sig2: float) -> None:
    with pytest.raises(ValueError, match="phi >= 1 and sig2 > 0"):
        Noise(phi, sig2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(1, 28), st.sampled_from([0.0, 0.05, 1.0, 40.0]))
def test_no_panel_yields_a_number_that_is_not_finite(seed: int, t0: int, days: int, level: float) -> None:
    numbers = np.random.default_rng(seed)
    skus = int(numbers.integers(1, 25))
    shape = (skus, t0 + days)
    shop = Panel(
        numbers.poisson(level * numbers.random((skus, 1)), shape),
        numbers.choice([-1, 0, 1], size=shape, p=numbers.dirichlet([1, 1, 1])).astype(np.int8),
        numbers.integers(0, 3, skus),
        numbers.random(skus) < 0.9,
    )
    with np.errstate(all="raise"):
        found = ShopWindow(shop, t0=t0, days=days).of(int(numbers.integers(skus)))
    assert math.isfinite(found.expected)
    assert found.expected >= 0
    assert found.shape >= 0.5
    assert 0 <= found.valid_days <= found.days == days
    assert found.index_change is None or math.isfinite(found.index_change)
