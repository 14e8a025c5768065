from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.pricing.grid import grid_of
from tests.pricing.cases import D, money

ROUBLES = grid_of("RUB")
CURRENCIES = st.sampled_from(["RUB", "UAH", "KZT", "USD"])


@pytest.mark.parametrize(
    ("currency", "price", "step"),
    [
        ("RUB", "4", "1"),
        ("RUB", "99", "1"),
        ("RUB", "100", "1"),
        ("RUB", "999", "1"),
        ("RUB", "1000", "10"),
        ("RUB", "12900", "100"),
        ("UAH", "449", "1"),
        ("UAH", "2490", "10"),
        ("KZT", "15900", "100"),
        ("KZT", "159000", "1000"),
        ("USD", "4.99", "0.01"),
        ("USD", "14.9", "0.1"),
        ("USD", "0.05", "0.01"),
    ],
)
def test_the_step_grows_with_the_magnitude(currency: str, price: str, step: str) -> None:
    assert grid_of(currency).step_at(D(price)) == D(step)


@pytest.mark.parametrize("price", ["1", "42", "499", "990", "1490", "2490", "9990", "10000", "12900", "129000"])
def test_prices_of_a_shelf_are_on_the_grid(price: str) -> None:
    assert ROUBLES.holds(D(price))


@pytest.mark.parametrize("price", ["1448", "1495", "499.5", "12950", "0.5", "0", "-10"])
def test_other_numbers_are_not(price: str) -> None:
    assert not ROUBLES.holds(D(price))


def test_rounding_goes_the_way_it_says() -> None:
    assert (ROUBLES.ceil(D("1448.37")), ROUBLES.floor(D("1448.37"))) == (D(1450), D(1440))
    assert (ROUBLES.nearest(D("1444.99")), ROUBLES.nearest(D(1445))) == (D(1440), D(1450))
    assert (ROUBLES.ceil(D("999.01")), ROUBLES.floor(D("1009"))) == (D(1000), D(1000))


def test_a_price_below_the_smallest_becomes_the_smallest() -> None:
    assert ROUBLES.floor(D("0.3")) == ROUBLES.nearest(D("0.3")) == ROUBLES.ceil(D("0.3")) == D(1)
    assert grid_of("USD").floor(D("0.001")) == D("0.01")


@pytest.mark.parametrize("price", ["0", "-1240"])
def test_nothing_is_rounded_from_zero_or_below(price: str) -> None:
    for rounded in (ROUBLES.ceil, ROUBLES.floor, ROUBLES.nearest, ROUBLES.step_at):
        with pytest.raises(ValueError, match="price must be above zero"):
            rounded(D(price))


def test_a_range_holds_every_grid_price_on_both_sides_of_a_magnitude() -> None:
    assert ROUBLES.between(D("997.5"), D(1025)) == (D(998), D(999), D(1000), D(1010), D(1020))
    assert ROUBLES.between(D(1441), D(1449)) == ()
    assert ROUBLES.between(D(-5), D("2.5")) == (D(1), D(2))
    assert ROUBLES.between(D(10), D(5)) == ()


def test_prices_are_written_without_an_exponent() -> None:
    assert str(ROUBLES.ceil(D(12_850))) == "12900"
    assert str(grid_of("USD").ceil(D("14.81"))) == "14.9"


@given(price=money("0.01", "900000"), currency=CURRENCIES)
def test_rounding_lands_on_the_grid_and_never_past_the_next_price(price: Decimal, currency: str) -> None:
    grid = grid_of(currency)
    low, high, near = grid.floor(price), grid.ceil(price), grid.nearest(price)
    assert all(grid.holds(rounded) and rounded > 0 for rounded in (low, high, near))
    assert near in (low, high)
    assert high >= price
    if price >= grid.smallest:
        assert low <= price
        assert high - low in (0, grid.step_at(price))
        assert grid.step_at(price) <= max(price / 100, grid.smallest)


@given(low=money("-5", "5000"), width=money("0", "1200"), currency=st.sampled_from(["RUB", "KZT"]))
def test_a_range_leaves_out_no_grid_price(low: Decimal, width: Decimal, currency: str) -> None:
    grid = grid_of(currency)
    whole = (Decimal(number) for number in range(1, int(low + width) + 1) if number >= low)
    assert list(grid.between(low, low + width)) == [price for price in whole if grid.holds(price)]
