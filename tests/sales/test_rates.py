"""Units a day, as prices, reorder points and verdicts know them."""

from __future__ import annotations

import numpy as np
import pytest

from apps.sales.rates import daily_rates, recency_weights


def days(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int64)


def always(units: np.ndarray) -> np.ndarray:
    return np.ones(units.shape, dtype=bool)


def test_the_last_day_weighs_one_and_three_weeks_before_it_half() -> None:
    weights = recency_weights(43)
    assert (weights[-1], weights[-22], weights[0]) == pytest.approx((1, 0.5, 0.25))
    assert len(recency_weights(0)) == 0


def test_a_steady_product_sells_what_it_sells() -> None:
    units = days([3] * 56)
    assert daily_rates(units, always(units)) == pytest.approx([3.0])


def test_a_day_weighs_half_as_much_as_one_three_weeks_later() -> None:
    units = days([4] + [0] * 20 + [1])
    stocked = np.zeros(units.shape, dtype=bool)
    stocked[0, [0, -1]] = True
    assert daily_rates(units, stocked) == pytest.approx([(0.5 * 4 + 1) / 1.5])


def test_days_out_of_stock_say_nothing() -> None:
    units = days([2, 0, 2, 0])
    assert daily_rates(units, units > 0) == pytest.approx([2.0])


def test_a_product_never_in_stock_has_no_rate() -> None:
    assert np.isnan(daily_rates(days([0, 0]), np.zeros((1, 2), dtype=bool))).all()
