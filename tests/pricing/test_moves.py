"""What counts as moved under a card, and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.pricing.moves import Then, first_move
from apps.pricing.records import PriceFacts
from tests.pricing.cases import RULES, D, facts


def code_of(before: PriceFacts | None = None, **changes: Any) -> str:
    """What has moved when these figures of `before` changed; "" for nothing."""
    before = before or facts()
    after = replace(before, **changes)
    found = first_move(Then(price=D(1090), before=before, after=after, rules=RULES, moved_rate=D("0.05")))
    return found.code if found else ""


def test_nothing_has_moved_when_nothing_changed() -> None:
    assert code_of() == ""


def test_any_other_price_is_a_move() -> None:
    assert code_of(price=D("1000.01")) == "price_moved"


def test_sales_alone_are_none() -> None:
    assert code_of(units_last_7=2, units_per_day=D("1.9"), days_since_sale=3) == ""


def test_goods_that_have_run_out_are_a_move() -> None:
    assert code_of(stock=0) == "stock_gone"


def test_goods_that_had_run_out_before_are_none() -> None:
    assert code_of(facts(stock=0)) == ""


def test_goods_that_nobody_can_count_any_more_are_a_move() -> None:
    assert code_of(stock=None) == "stock_lost"


@pytest.mark.parametrize(
    ("stock", "code"),
    [(28, ""), (27, "cover_moved"), (120, ""), (121, "cover_moved"), (60, "")],
)
def test_cover_is_a_move_where_another_reason_begins(stock: int, code: str) -> None:
    """Two a day: short below 14 days, long above 60."""
    assert code_of(stock=stock) == code


def test_unknown_cover_says_nothing() -> None:
    assert code_of(facts(units_per_day=None), stock=1) == ""


@pytest.mark.parametrize(("cost", "code"), [(419, ""), (425, "costs_moved"), (381, ""), (375, "costs_moved")])
def test_a_cost_is_a_move_when_the_floor_or_the_profit_moves_far_enough(cost: int, code: str) -> None:
    """At 1090 a unit earns 395.65: a twentieth of it is 19.78."""
    assert code_of(cost=D(cost)) == code


def test_a_fee_is_a_move_as_a_cost_is() -> None:
    assert code_of(commission_rate=D("0.201")) == ""
    assert code_of(commission_rate=D("0.23")) == "costs_moved"


def test_a_fee_that_is_not_known_any_more_is_a_move() -> None:
    assert code_of(commission_rate=None) == "unknown_terms"


def test_a_fee_that_was_never_known_is_none() -> None:
    assert code_of(facts(commission_rate=None)) == ""


def test_shares_that_leave_nothing_to_earn_are_a_move() -> None:
    assert code_of(commission_rate=D("0.86")) == "no_share_kept"
