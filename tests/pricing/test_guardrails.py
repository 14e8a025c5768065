from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from apps.pricing import guardrails
from apps.pricing.economics import floor_price, unit_costs
from apps.pricing.grid import grid_of
from apps.pricing.guardrails import GUARDRAILS, Guardrail, controls_needed, findings, old_price_for, violations
from apps.pricing.records import LivePrice, OwnRules, Passed, PriceRules, SendContext, Violation
from tests.pricing.cases import AS_OF, RULES, D, any_facts, context, facts, maybe, money


def refusal(guardrail: Guardrail, of: SendContext, price: Decimal) -> Violation | None:
    """What the guardrail forbids it for; None when it passes."""
    found = guardrail(of, price)
    return found if isinstance(found, Violation) else None


def code_of(violation: Violation | None) -> str | None:
    return violation.code if violation else None


def live(price: str, **others: Any) -> LivePrice:
    return LivePrice(price=D(price), currency=others.pop("currency", "RUB"), **others)


def test_a_calm_change_passes_all() -> None:
    assert violations(context(), D(1090)) == ()


def test_what_was_passed_is_told_with_its_figures() -> None:
    found = findings(context(), D(1090))
    assert len(found) == len(GUARDRAILS)
    assert Passed("within_step", {"price": D(1090), "low_price": D("900.00"), "high_price": D("1100.00")}) in found
    assert Passed("fresh_data", {"age_hours": 6, "limit_hours": 36}) in found
    assert Passed("not_frozen", {}) in found
    assert Passed("enough_controls", {"left": 299, "needed": 150, "total": 300}) in found


def test_what_is_left_of_the_quota_is_told() -> None:
    left = Passed("quota_left", {"updates": 3, "allowed": 8})
    assert guardrails.quota_left(context(updates_last_hour=3), D(1090)) == left


def test_a_price_brought_back_says_which_rules_do_not_hold_for_it() -> None:
    back = context(facts(price=D(1200)), has_live_experiment=True, skus_total=10, restores=D(1003))
    assert [found.code for found in findings(back, D(1003))].count("restores") == 5


def test_every_violation_is_told_in_order() -> None:
    stopped = context(shop_stopped=True, updates_last_hour=10, live=live("990"))
    assert [violation.code for violation in violations(stopped, D(2004))] == [
        "shop_stopped",
        "price_moved",
        "step_too_large",
        "out_of_bounds",
        "off_grid",
    ]


def test_every_guardrail_of_the_module_is_in_the_list() -> None:
    checks = {
        function
        for name, function in vars(guardrails).items()
        if callable(function) and getattr(function, "__annotations__", {}).get("context") == "SendContext"
        if not name.startswith("_") and name not in ("findings", "violations")
    }
    assert checks - {guardrails.quota_left} == set(GUARDRAILS), "for a used-up quota a command waits"


class TestSwitch:
    def test_it_allows_while_nothing_is_stopped(self) -> None:
        assert refusal(guardrails.not_stopped, context(), D(1090)) is None

    def test_it_refuses_when_the_shop_or_everything_is_stopped(self) -> None:
        assert refusal(guardrails.not_stopped, context(shop_stopped=True), D(1090)) == Violation("shop_stopped", {})
        assert refusal(guardrails.not_stopped, context(all_stopped=True), D(1090)) == Violation("all_stopped", {})

    def test_the_general_switch_is_named_first_and_stops_a_return_too(self) -> None:
        both = context(all_stopped=True, shop_stopped=True, restores=D(1090))
        assert refusal(guardrails.not_stopped, both, D(1090)) == Violation("all_stopped", {})


@pytest.mark.parametrize(
    ("price", "code"), [("1090", None), ("-1", "price_not_positive"), ("0", "price_not_positive"), ("0.01", None)]
)
def test_a_price_is_above_zero(price: str, code: str | None) -> None:
    assert code_of(refusal(guardrails.above_zero, context(), D(price))) == code


def test_the_currency_is_the_cabinets() -> None:
    tenge = context(live=live("1000", currency="KZT"))
    assert refusal(guardrails.same_currency, context(), D(1090)) is None
    assert refusal(guardrails.same_currency, tenge, D(1090)) == Violation(
        "currency_mismatch", {"ours": "RUB", "theirs": "KZT"}
    )
    assert refusal(guardrails.same_currency, context(facts(currency="KZT")), D(1090)) is None


class TestUnit:
    @pytest.mark.parametrize(
        ("price", "refuses"), [("1090", False), ("109000", True), ("10000", True), ("9999.99", False)]
    )
    def test_ten_times_the_last_price_is_a_mistake_of_the_unit(self, price: str, refuses: bool) -> None:
        assert (refusal(guardrails.same_unit, context(), D(price)) is not None) is refuses

    @pytest.mark.parametrize(("price", "refuses"), [("10.9", True), ("100", True), ("100.01", False)])
    def test_so_is_a_tenth(self, price: str, refuses: bool) -> None:
        assert (refusal(guardrails.same_unit, context(), D(price)) is not None) is refuses

    def test_a_live_price_in_another_unit_blocks(self) -> None:
        kopecks = context(live=live("100000"))
        refused = Violation("unit_mismatch", {"price": D(1090), "last_price": D(100000)})
        assert refusal(guardrails.same_unit, kopecks, D(1090)) == refused

    def test_a_live_price_of_nothing_blocks(self) -> None:
        assert code_of(refusal(guardrails.same_unit, context(live=live("0")), D(1090))) == "unit_mismatch"


@pytest.mark.parametrize(("hours", "minutes", "refuses"), [(6, 0, False), (40, 0, True), (36, 0, False), (36, 1, True)])
def test_data_have_an_age_limit(hours: int, minutes: int, refuses: bool) -> None:
    later = context(now=AS_OF + timedelta(hours=hours, minutes=minutes))
    expected = Violation("stale_data", {"age_hours": hours, "limit_hours": 36}) if refuses else None
    assert refusal(guardrails.fresh_data, later, D(1090)) == expected


@pytest.mark.parametrize(("price", "refuses"), [("1000", False), ("1000.00", False), ("980", True), ("1000.01", True)])
def test_the_live_price_is_the_one_the_proposal_was_made_against(price: str, refuses: bool) -> None:
    expected = {"expected_price": D(1000), "live_price": D(price)}
    found = refusal(guardrails.unmoved, context(live=live(price)), D(1090))
    assert found == (Violation("price_moved", expected) if refuses else None)


class TestFloor:
    thin = facts(cost=D(600))  # floor 660 / .685 = 963.5, on the grid 964

    @pytest.mark.parametrize(("price", "refuses"), [("1090", False), ("900", True), ("964", False), ("963.99", True)])
    def test_no_price_below_the_floor(self, price: str, refuses: bool) -> None:
        expected = Violation("below_floor", {"price": D(price), "floor_price": D(964)})
        assert refusal(guardrails.at_least_the_floor, context(self.thin), D(price)) == (expected if refuses else None)

    @pytest.mark.parametrize("term", ["cost", "commission_rate", "logistics", "acquiring_rate"])
    def test_an_unknown_cost_refuses_every_price(self, term: str) -> None:
        unknown = context(facts(**{term: None}))
        assert refusal(guardrails.at_least_the_floor, unknown, D(99_000)) == Violation("unknown_terms", {"terms": term})

    def test_a_floor_that_cannot_be_computed_refuses(self) -> None:
        assert (
            code_of(refusal(guardrails.at_least_the_floor, context(facts(ad_rate=D("0.7"))), D(1090)))
            == "no_share_kept"
        )

    @pytest.mark.parametrize(("price", "refuses"), [("860", False), ("841", False), ("840", True)])
    def test_a_price_brought_back_must_cover_its_costs(self, price: str, refuses: bool) -> None:
        returned = context(self.thin, restores=D(price))  # 660 / .785 = 840.8, on the grid 841
        assert (refusal(guardrails.at_least_the_floor, returned, D(price)) is not None) is refuses


@pytest.mark.parametrize(
    ("minimum", "refuses"), [(None, False), ("950", False), ("1090", False), ("1090.01", True), ("1200", True)]
)
def test_no_price_below_the_minimum_set_at_the_marketplace(minimum: str | None, refuses: bool) -> None:
    limit = None if minimum is None else D(minimum)
    found = refusal(guardrails.at_least_the_minimum, context(live=live("1000", min_price=limit)), D(1090))
    assert found == (Violation("below_min_price", {"price": D(1090), "min_price": limit or 0}) if refuses else None)


class TestStep:
    @pytest.mark.parametrize(
        ("price", "refuses"),
        [
            ("1050", False),
            ("1200", True),
            ("800", True),
            ("1100", False),
            ("900", False),
            ("1100.01", True),
            ("899", True),
        ],
    )
    def test_a_step_is_at_most_ten_percent_either_way(self, price: str, refuses: bool) -> None:
        expected = {"price": D(price), "low_price": D("900.00"), "high_price": D("1100.00")}
        found = refusal(guardrails.within_step, context(), D(price))
        assert found == (Violation("step_too_large", expected) if refuses else None)

    def test_the_way_back_from_a_cut_is_longer_and_allowed(self) -> None:
        cut = facts(price=D(900))
        assert code_of(refusal(guardrails.within_step, context(cut), D(1000))) == "step_too_large"
        assert refusal(guardrails.within_step, context(cut, restores=D(1000)), D(1000)) is None
        assert code_of(refusal(guardrails.within_step, context(cut, restores=D(1000)), D(1010))) == "step_too_large"


class TestBounds:
    @pytest.mark.parametrize(
        ("price", "refuses"),
        [
            ("1000", False),
            ("1300", True),
            ("700", True),
            ("1100", False),
            ("850", False),
            ("1110", True),
            ("849", True),
        ],
    )
    def test_a_price_stays_around_the_base(self, price: str, refuses: bool) -> None:
        assert (refusal(guardrails.within_bounds, context(), D(price)) is not None) is refuses

    @pytest.mark.parametrize(("price", "refuses"), [("1250", False), ("1300", False), ("1310", True), ("840", True)])
    def test_a_price_above_them_may_stay_or_come_back(self, price: str, refuses: bool) -> None:
        above = context(facts(price=D(1300)))
        assert (refusal(guardrails.within_bounds, above, D(price)) is not None) is refuses

    @pytest.mark.parametrize(("price", "refuses"), [("750", False), ("700", False), ("699", True)])
    def test_so_may_a_price_below_them(self, price: str, refuses: bool) -> None:
        below = context(facts(price=D(700)))
        assert (refusal(guardrails.within_bounds, below, D(price)) is not None) is refuses

    def test_a_price_brought_back_may_lie_outside(self) -> None:
        assert refusal(guardrails.within_bounds, context(restores=D(1300)), D(1300)) is None


class TestGrid:
    @pytest.mark.parametrize(("price", "nearest"), [("1448", "1450"), ("999.5", "1000"), ("0.2", "1"), ("-7", "1")])
    def test_it_refuses_what_is_no_price_for_the_shelf(self, price: str, nearest: str) -> None:
        expected = Violation("off_grid", {"price": D(price), "nearest_price": D(nearest)})
        assert refusal(guardrails.on_grid, context(), D(price)) == expected

    @pytest.mark.parametrize("price", ["1450", "999", "1000", "1"])
    def test_it_allows_what_is(self, price: str) -> None:
        assert refusal(guardrails.on_grid, context(), D(price)) is None

    def test_a_price_brought_back_may_be_any(self) -> None:
        assert refusal(guardrails.on_grid, context(restores=D(1448)), D(1448)) is None


class TestOldPrice:
    @pytest.mark.parametrize(
        ("price", "old_price", "code"),
        [
            ("399", "420", None),
            ("399", "419", "old_price_gap_too_small"),
            ("400", "422", None),
            ("400", "421", "old_price_gap_too_small"),
            ("950", "1000", "old_price_gap_too_small"),
            ("950", "1000.01", None),
            ("10000", "10530", None),
            ("10000", "10510", "old_price_gap_too_small"),
            ("10100", "10601", None),
            ("10100", "10600", "old_price_gap_too_small"),
            ("1000", "1000", "old_price_not_above"),
            ("1090", "1000", "old_price_not_above"),
            ("1000", "10000", "discount_too_big"),
            ("1000", "9999", None),
            ("1000", "0", None),
        ],
    )
    def test_it_follows_the_marketplaces_rules(self, price: str, old_price: str, code: str | None) -> None:
        assert code_of(refusal(guardrails.old_price_accepted, context(old_price=D(old_price)), D(price))) == code
        kept = D(0) if code else D(old_price)
        assert old_price_for(D(price), D(old_price)) == kept

    def test_it_says_the_gap_that_is_needed(self) -> None:
        assert refusal(guardrails.old_price_accepted, context(old_price=D(419)), D(399)) == Violation(
            "old_price_gap_too_small", {"gap_money": D(20), "needed_money": D(20)}
        )

    def test_without_a_crossed_out_price_it_is_reset(self) -> None:
        assert old_price_for(D(1000), None) == old_price_for(D(1000), D(0)) == D(0)

    @pytest.mark.parametrize(
        ("price", "old_price", "kept"), [("300", "316", True), ("300", "315", False), ("90000", "94000", False)]
    )
    def test_in_another_currency_only_the_share_counts(self, price: str, old_price: str, kept: bool) -> None:
        assert (old_price_for(D(price), D(old_price), "KZT") == D(old_price)) is kept
        violation = refusal(
            guardrails.old_price_accepted, context(facts(currency="KZT"), old_price=D(old_price)), D(price)
        )
        assert (violation is None) is kept

    @given(
        price=money("0.01", "200000"), old_price=maybe(money("0", "300000")), currency=st.sampled_from(["RUB", "KZT"])
    )
    def test_what_it_sends_is_always_accepted(self, price: Decimal, old_price: Decimal | None, currency: str) -> None:
        sent = old_price_for(price, old_price, currency)
        assert refusal(guardrails.old_price_accepted, context(facts(currency=currency), old_price=sent), price) is None
        assert sent in (0, old_price)


class TestOwnRules:
    """What the seller has said of this product alone."""

    BOUNDS = facts(own=OwnRules(min_price=D(950), max_price=D(1050)))

    @pytest.mark.parametrize(("price", "code"), [("949.99", "below_own_minimum"), ("950", None), ("951", None)])
    def test_the_lowest_price_is_held(self, price: str, code: str | None) -> None:
        found = guardrails.at_least_own_minimum(context(self.BOUNDS), D(price))
        assert found == (
            Violation(code, {"price": D(price), "lowest_price": D(950)})
            if code
            else Passed("at_least_own_minimum", {"price": D(price), "lowest_price": D(950)})
        )

    @pytest.mark.parametrize(("price", "code"), [("1050.01", "above_own_maximum"), ("1050", None), ("1049", None)])
    def test_the_highest_price_is_held(self, price: str, code: str | None) -> None:
        found = guardrails.at_most_own_maximum(context(self.BOUNDS), D(price))
        assert found == (
            Violation(code, {"price": D(price), "highest_price": D(1050)})
            if code
            else Passed("at_most_own_maximum", {"price": D(price), "highest_price": D(1050)})
        )

    def test_without_bounds_it_says_that_there_are_none(self) -> None:
        found = findings(context(), D(1090))
        assert Passed("no_own_minimum", {}) in found
        assert Passed("no_own_maximum", {}) in found

    def test_the_way_back_keeps_to_them_too(self) -> None:
        """They are the seller's newer word, newer than the price that stood there."""
        back = context(self.BOUNDS, restores=D(940))
        assert [found.code for found in violations(back, D(940))] == ["below_own_minimum"]

    def test_a_product_that_is_not_to_be_repriced_keeps_its_price_whoever_asks(self) -> None:
        still = facts(own=OwnRules(is_repriced=False))
        assert violations(context(still), D(1090)) == (Violation("repricing_off", {"sku": "790001"}),)
        assert violations(context(still, restores=D(980)), D(980)) == (Violation("repricing_off", {"sku": "790001"}),)

    @pytest.mark.parametrize(("margin", "code"), [("0.30", "below_own_floor"), ("0", None), (None, None)])
    def test_its_own_margin_makes_the_floor(self, margin: str | None, code: str | None) -> None:
        # 460 / (1 - .215 - .30) = 948.5; at 940 the shop's 10 % are earned, and its own 30 % are not
        own = OwnRules(min_margin_rate=D(margin) if margin else None)
        assert code_of(refusal(guardrails.at_least_the_floor, context(facts(own=own)), D(940))) == code

    def test_the_way_back_must_earn_no_margin_of_its_own_either(self) -> None:
        back = context(facts(own=OwnRules(min_margin_rate=D("0.30"))), restores=D(940))
        assert refusal(guardrails.at_least_the_floor, back, D(940)) is None


class TestQuota:
    @pytest.mark.parametrize(("updates", "refuses"), [(0, False), (9, True), (7, False), (8, True)])
    def test_a_reserve_of_the_hourly_quota_is_kept(self, updates: int, refuses: bool) -> None:
        expected = Violation("quota_used", {"updates": updates, "allowed": 8})
        found = refusal(guardrails.quota_left, context(updates_last_hour=updates), D(1090))
        assert found == (expected if refuses else None)

    @pytest.mark.parametrize(("updates", "refuses"), [(8, False), (9, False), (10, True)])
    def test_the_way_back_may_use_the_reserve(self, updates: int, refuses: bool) -> None:
        back = context(updates_last_hour=updates, restores=D(980))
        assert (refusal(guardrails.quota_left, back, D(980)) is not None) is refuses


class TestExperiment:
    def test_a_sku_without_one_may_start(self) -> None:
        assert refusal(guardrails.one_experiment, context(), D(1090)) is None

    def test_a_second_one_is_refused(self) -> None:
        running = context(has_live_experiment=True)
        assert refusal(guardrails.one_experiment, running, D(1090)) == Violation(
            "experiment_running", {"sku": "790001"}
        )

    def test_only_the_price_that_stood_before_may_end_it(self) -> None:
        back = context(has_live_experiment=True, restores=D(980))
        assert refusal(guardrails.one_experiment, back, D(980)) is None
        assert code_of(refusal(guardrails.one_experiment, back, D(990))) == "experiment_running"


class TestControls:
    @pytest.mark.parametrize(
        ("total", "treated", "left"),
        [(300, 0, None), (300, 149, None), (300, 150, 149), (31, 15, 15), (31, 14, None), (16, 0, None), (15, 0, 14)],
    )
    def test_half_and_fifteen_stay_untouched(self, total: int, treated: int, left: int | None) -> None:
        shop = context(skus_total=total, treated_others=treated)
        needed = controls_needed(total, RULES)
        expected = (
            None if left is None else Violation("too_few_controls", {"left": left, "needed": needed, "total": total})
        )
        assert refusal(guardrails.enough_controls, shop, D(1090)) == expected

    @pytest.mark.parametrize(("total", "needed"), [(300, 150), (301, 151), (30, 15), (29, 15), (31, 16), (2, 15)])
    def test_half_is_rounded_up(self, total: int, needed: int) -> None:
        assert controls_needed(total, RULES) == needed

    def test_the_way_back_touches_nothing_new(self) -> None:
        assert refusal(guardrails.enough_controls, context(skus_total=15, restores=D(980)), D(980)) is None


@st.composite
def any_context(draw: st.DrawFn) -> SendContext:
    of = draw(any_facts())
    near = (of.price * draw(money("0.85", "1.15"))).quantize(D("0.01"))
    return context(
        of,
        rules=PriceRules(
            max_step_rate=draw(money("0.01", "0.15")),
            min_margin_rate=draw(money("0", "0.30")),
            tax_rate=draw(maybe(money("0", "0.20"))),
        ),
        expected_old=draw(st.sampled_from([of.price, of.price, near])),
        restores=draw(maybe(st.just(near))),
        skus_total=draw(st.integers(25, 400)),
    )


def prices_around(of: SendContext) -> set[Decimal]:
    """What somebody may ask for: shelf prices far and near, ends of the step, odd and impossible sums."""
    old = of.expected_old
    ends = {old * (1 - of.rules.max_step_rate), old * (1 + of.rules.max_step_rate)}
    odd = {D(0), -old, old, old / 100, old * 100, old + D("0.01"), old * D("1.03")}
    shelf = grid_of(of.facts.currency).between(max(old * D("0.80"), D(1)), old * D("1.20"))
    return {*ends, *odd, *shelf[:: max(1, len(shelf) // 25)], *([of.restores] if of.restores else [])}


class TestNothingUnsafePasses:
    @settings(max_examples=150, deadline=None)
    @given(of=any_context())
    def test_no_price_at_or_below_zero_below_the_floor_or_beyond_the_step(self, of: SendContext) -> None:
        for price in prices_around(of):
            if not violations(of, price):
                assert_safe(of, price)

    @pytest.mark.parametrize("restores", [False, True])
    def test_the_inputs_above_reach_prices_that_pass(self, restores: bool) -> None:
        def passes(of: SendContext) -> bool:
            passing = [price for price in prices_around(of) if not violations(of, price)]
            return any((price == of.restores) is restores for price in passing)

        assert find(any_context(), passes, settings=settings(phases=[Phase.generate], max_examples=2000, database=None))

    @pytest.mark.parametrize(
        "code", ["below_own_minimum", "above_own_maximum", pytest.param("repricing_off", marks=pytest.mark.slow)]
    )
    def test_the_inputs_above_reach_prices_that_nothing_but_the_sellers_own_word_forbids(self, code: str) -> None:
        def is_alone(of: SendContext) -> bool:
            return any([one.code for one in violations(of, price)] == [code] for price in prices_around(of))

        assert find(
            any_context(), is_alone, settings=settings(phases=[Phase.generate], max_examples=2000, database=None)
        )

    @settings(max_examples=100, deadline=None)
    @given(of=any_context())
    def test_no_guardrail_fails_on_any_figures(self, of: SendContext) -> None:
        zero = replace(of, live=replace(of.live, price=D(0)), updates_last_hour=99, treated_others=999)
        for price in prices_around(zero):
            codes = [violation.code for violation in violations(zero, price)]
            assert "unit_mismatch" in codes
            assert len(codes) == len(set(codes))


def assert_safe(of: SendContext, price: Decimal) -> None:
    costs = unit_costs(of.facts, of.rules)
    assert not isinstance(costs, Violation)
    own = of.facts.own
    assert own.is_repriced
    assert (own.min_price or 0) <= price <= (own.max_price or price)
    wanted = of.rules.min_margin_rate if own.min_margin_rate is None else own.min_margin_rate
    margin = D(0) if price == of.restores else wanted
    floor = floor_price(costs, min_margin_rate=margin, currency=of.facts.currency)
    assert not isinstance(floor, Violation)
    assert price > 0
    assert price >= floor
    assert costs.margin_rate(price) >= margin
    assert price == of.restores or abs(price - of.expected_old) <= of.rules.max_step_rate * of.expected_old
