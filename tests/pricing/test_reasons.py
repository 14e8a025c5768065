from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from apps.pricing.choice import choose
from apps.pricing.reasons import history, margin, no_sales, reasons, signs, stock, trend
from apps.pricing.records import Choice, Direction, Figure, OwnRules, PastChange, PriceFacts, Reason
from tests.pricing.cases import RULES, D, any_facts, facts, sound_facts


def chosen(of: PriceFacts) -> Choice:
    choice = choose(of, RULES)
    assert isinstance(choice, Choice), choice
    return choice


def codes(found: tuple[Reason, ...]) -> list[str]:
    return [reason.code for reason in found]


def test_an_ordinary_sku_gives_no_sign() -> None:
    assert signs(facts(), RULES) == ()


class TestOwnBounds:
    def test_it_says_which_of_the_sellers_bounds_holds_a_price(self) -> None:
        dearer = facts(cost=D(600), own=OwnRules(max_price=D(1055)))
        found = reasons(dearer, RULES, chosen(dearer))
        assert Reason("own_maximum_held", Direction.NONE, {"highest_price": D(1055)}) in found
        cheaper = facts(cost=D(150), own=OwnRules(min_price=D(950)))
        found = reasons(cheaper, RULES, chosen(cheaper))
        assert Reason("own_minimum_held", Direction.NONE, {"lowest_price": D(950)}) in found

    def test_a_bound_far_off_is_no_reason(self) -> None:
        free = facts(cost=D(600), own=OwnRules(min_price=D(100), max_price=D(1200)))
        assert not {"own_maximum_held", "own_minimum_held"} & {*codes(reasons(free, RULES, chosen(free)))}


class TestStock:
    def test_short_stock_speaks_for_more(self) -> None:
        found = stock(facts(stock=18), RULES)
        assert found == Reason("stock_short", Direction.UP, {"cover_days": D(9), "stock": 18})

    def test_not_when_more_is_on_the_way(self) -> None:
        found = stock(facts(stock=18, inbound=40), RULES)
        assert found == Reason("stock_short_inbound", Direction.NONE, {"cover_days": D(9), "stock": 18, "inbound": 40})

    def test_it_does_not_call_nothing_what_is_not_known(self) -> None:
        found = stock(facts(stock=18, inbound=None), RULES)
        assert found == Reason("stock_short_unknown", Direction.UP, {"cover_days": D(9), "stock": 18})

    def test_long_stock_speaks_for_less(self) -> None:
        found = stock(facts(stock=300), RULES)
        assert found == Reason("stock_long", Direction.DOWN, {"cover_days": D(150), "stock": 300})

    @pytest.mark.parametrize(("pieces", "code"), [(27, "stock_short"), (28, None), (120, None), (121, "stock_long")])
    def test_two_to_eight_weeks_are_neither(self, pieces: int, code: str | None) -> None:
        found = stock(facts(stock=pieces), RULES)
        assert (found.code if found else None) == code

    def test_an_empty_shelf_is_short_whatever_the_rate(self) -> None:
        found = stock(facts(stock=0, units_per_day=D(0)), RULES)
        assert found == Reason("stock_short", Direction.UP, {"cover_days": D(0), "stock": 0})

    def test_stock_that_nobody_buys_is_long_without_end(self) -> None:
        found = stock(facts(stock=5, units_per_day=D(0)), RULES)
        assert found == Reason("stock_long", Direction.DOWN, {"cover_days": D(999), "stock": 5})

    @pytest.mark.parametrize("unknown", ["stock", "units_per_day"])
    def test_of_unknown_stock_it_says_nothing(self, unknown: str) -> None:
        assert stock(facts(**{unknown: None}), RULES) is None


class TestTrend:
    def test_it_tells_both_weeks(self) -> None:
        found = trend(facts(units_last_7=30, units_previous_7=14), RULES)
        figures = {"units": 30, "stock_days": 7, "units_before": 14, "stock_days_before": 7}
        assert found == Reason("trend_up", Direction.UP, figures)

    def test_a_fall_speaks_for_less(self) -> None:
        found = trend(facts(units_last_7=14, units_previous_7=30), RULES)
        assert found is not None
        assert (found.code, found.direction) == ("trend_down", Direction.DOWN)

    @pytest.mark.parametrize(("last", "before"), [(2, 1), (6, 3), (9, 0), (0, 9)])
    def test_few_sales_mean_nothing(self, last: int, before: int) -> None:
        assert trend(facts(units_last_7=last, units_previous_7=before), RULES) is None

    @pytest.mark.parametrize(("last", "before"), [(18, 14), (1120, 1000), (1000, 1120)])
    def test_chance_and_small_moves_are_no_trend(self, last: int, before: int) -> None:
        assert trend(facts(units_last_7=last, units_previous_7=before), RULES) is None

    def test_from_nothing_to_much_is_one(self) -> None:
        found = trend(facts(units_last_7=10, units_previous_7=0), RULES)
        assert found is not None
        assert found.code == "trend_up"

    def test_days_without_goods_do_not_count_as_a_fall(self) -> None:
        empty = {"units_last_7": 20, "units_previous_7": 35}
        assert trend(facts(**empty), RULES) is not None
        assert trend(facts(**empty, in_stock_days_last_7=5), RULES) is None
        assert trend(facts(**empty, in_stock_days_last_7=4), RULES) is None
        assert trend(facts(units_last_7=40, units_previous_7=10, in_stock_days_previous_7=4), RULES) is None


class TestMargin:
    def test_a_margin_below_the_minimum_speaks_for_more(self) -> None:
        found = margin(facts(cost=D(640)), RULES)
        figures = {"margin_rate": D("0.085"), "min_margin_rate": D("0.10")}
        assert found == Reason("margin_below_min", Direction.UP, figures)

    @pytest.mark.parametrize(("cost", "code"), [("625", "near_floor"), ("592.4", "near_floor"), ("591", None)])
    def test_a_price_close_to_the_floor_is_told(self, cost: str, code: str | None) -> None:
        found = margin(facts(cost=D(cost)), RULES)
        assert (found.code if found else None) == code

    @pytest.mark.parametrize(
        "changes", [{"cost": None}, {"price": D(0)}, {"cost": D(1), "logistics": D(1), "commission_rate": D("0.845")}]
    )
    def test_it_says_nothing_where_there_is_no_floor(self, changes: dict[str, Any]) -> None:
        assert margin(facts(**changes), RULES) is None


class TestNoSales:
    @pytest.mark.parametrize(
        ("changes", "days"),
        [
            ({"days_since_sale": 30}, 30),
            ({"days_since_sale": 29}, None),
            ({"days_since_sale": None}, 60),
            ({"days_since_sale": None, "days_observed": 20}, None),
            ({"days_since_sale": 45, "stock": 0}, None),
            ({"days_since_sale": 45, "stock": None}, None),
        ],
    )
    def test_thirty_days_with_goods_and_no_sale(self, changes: dict[str, Any], days: int | None) -> None:
        found = no_sales(facts(**changes), RULES)
        expected = Reason("no_sales", Direction.DOWN, {"quiet_days": days or 0, "stock": 80})
        assert found == (None if days is None else expected)


class TestHistory:
    past = PastChange(changed_on=date(2026, 5, 4), old_price=D(920), new_price=D(1000))

    def test_without_a_change_it_says_nothing(self) -> None:
        assert history(facts(), RULES) is None

    @pytest.mark.parametrize(
        ("verdict", "code", "direction"),
        [
            ("SUCCESS", "change_succeeded", Direction.UP),
            ("FAILED", "change_failed", Direction.DOWN),
            ("NEUTRAL", "change_unclear", Direction.NONE),
            ("INCONCLUSIVE", "change_unclear", Direction.NONE),
            (None, "change_unmeasured", Direction.NONE),
        ],
    )
    def test_it_follows_what_the_raise_brought(self, verdict: str | None, code: str, direction: Direction) -> None:
        figures: dict[str, Figure] = {"old_price": D(920), "new_price": D(1000), "changed_on": "2026-05-04"}
        found = history(facts(last_change=replace(self.past, verdict=verdict)), RULES)
        assert found == Reason(code, direction, figures)

    @pytest.mark.parametrize(("verdict", "direction"), [("SUCCESS", Direction.DOWN), ("FAILED", Direction.UP)])
    def test_after_a_cut_it_is_the_other_way_round(self, verdict: str, direction: Direction) -> None:
        cut = replace(self.past, old_price=D(1080), verdict=verdict, profit_per_day=D("41.20"))
        found = history(facts(last_change=cut), RULES)
        assert found is not None
        assert found.direction is direction
        assert found.figures["profit_gain"] == D("41.20")


class TestTogether:
    def test_the_expected_profit_comes_first_with_its_range(self) -> None:
        choice = chosen(facts(cost=D(600)))
        first = reasons(facts(cost=D(600)), RULES, choice)[0]
        assert (first.code, first.direction) == ("profit_typical", Direction.UP)
        assert first.figures == {
            "profit_gain": choice.difference.expected,
            "low_gain": choice.difference.low,
            "high_gain": choice.difference.high,
            "probability_rate": choice.probability_better,
        }

    def test_a_learned_prior_is_told_with_its_experiments(self) -> None:
        choice = replace(chosen(facts(cost=D(600))), prior_experiments=12)
        first = reasons(facts(cost=D(600)), RULES, choice)[0]
        assert (first.code, first.figures["experiments"]) == ("profit_learned", 12)

    def test_where_profit_and_signs_disagree_it_says_so_once(self) -> None:
        against = facts(cost=D(600), stock=300, units_last_7=14, units_previous_7=30, days_since_sale=30)
        choice = chosen(against)
        found = codes(reasons(against, RULES, choice))
        assert choice.direction is Direction.UP
        assert found == [
            "profit_typical", "near_floor", "stock_long", "trend_down", "no_sales",
            "profit_against_stock", "profit_against_trend", "costs_left_out",
        ]  # fmt: skip

    def test_where_they_agree_there_is_nothing_to_add(self) -> None:
        agreed = facts(cost=D(150), stock=300, units_last_7=14, units_previous_7=30)
        found = codes(reasons(agreed, RULES, chosen(agreed)))
        assert found == ["profit_typical", "holding_saved", "stock_long", "trend_down", "costs_left_out"]

    def test_a_cut_against_a_failed_cut_is_told(self) -> None:
        past = PastChange(changed_on=date(2026, 5, 4), old_price=D(1080), new_price=D(1000), verdict="FAILED")
        again = facts(cost=D(150), last_change=past)
        assert "profit_against_history" in codes(reasons(again, RULES, chosen(again)))

    def test_nothing_is_left_out_when_all_is_known(self) -> None:
        known = {"extra_per_unit": D(0), "return_rate": D(0), "return_logistics": D(0), "return_loss_rate": D(0)}
        full = facts(cost=D(600), ad_rate=D(0), **known)
        choice = choose(full, replace(RULES, tax_rate=D(0)))
        assert isinstance(choice, Choice)
        assert codes(reasons(full, RULES, choice)) == ["profit_typical", "near_floor"]

    @settings(max_examples=200, deadline=None)
    @given(of=any_facts())
    def test_signs_can_be_told_of_any_sku(self, of: PriceFacts) -> None:
        assert len(set(codes(signs(of, RULES)))) == len(signs(of, RULES))

    @settings(max_examples=60, deadline=None)
    @given(of=sound_facts())
    def test_below_the_minimum_margin_no_price_is_cut(self, of: PriceFacts) -> None:
        choice = choose(of, RULES)
        if isinstance(choice, Choice) and "margin_below_min" in codes(signs(of, RULES)):
            assert choice.direction is Direction.UP
