from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, example, find, given, settings

from apps.experiments.verdicts import Prior
from apps.pricing.choice import choose, is_due, may_cut
from apps.pricing.guardrails import violations
from apps.pricing.records import Choice, Direction, OwnRules, PastChange, PriceFacts, PriceRules, Violation
from tests.pricing.cases import ITS_TURN, RULES, TODAY, D, any_facts, context, facts, sound_facts


def chosen(of: PriceFacts, rules: PriceRules = RULES, **options: object) -> Choice:
    choice = choose(of, rules, **options)  # type: ignore[arg-type]
    assert isinstance(choice, Choice), choice
    return choice


def refused(of: PriceFacts, rules: PriceRules = RULES) -> str:
    violation = choose(of, rules)
    assert isinstance(violation, Violation), violation
    return violation.code


FIRST = settings(phases=[Phase.generate], max_examples=5000, database=None)


class TestBruteForce:
    """The chosen price against a plain search that shares no code with it: every price tag there is, one by one."""

    @settings(max_examples=100, deadline=None)
    @given(of=sound_facts())
    @example(of=facts())
    @example(of=facts(stock=400))
    @example(of=facts(price=D(1437), base_price=D(1300), cost=D(700)))
    @example(of=facts(price=D(45), base_price=D(45), cost=D(20), logistics=D(5)))
    @example(of=facts(currency="BYN", price=D("14.95"), base_price=D("15.2"), cost=D(5), logistics=D(1)))
    def test_it_has_the_highest_expected_profit_of_all_grid_prices_within_the_guardrails(self, of: PriceFacts) -> None:
        searched = _search(of)
        result = choose(of, RULES)
        if searched is None:
            assert isinstance(result, Violation)
            return
        assert isinstance(result, Choice), (result, searched)
        scores = dict(searched)
        best = max(scores.values())
        assert scores[result.price] == pytest.approx(best, rel=1e-9)
        assert violations(context(of), result.price) == ()

    def test_the_search_itself_finds_both_directions_and_none(self) -> None:
        dear = facts(price=D(1000), base_price=D(1000), cost=D(150))
        thin = facts(price=D(1000), base_price=D(1000), cost=D(600))
        optimal = facts(cost=D("330"))
        assert _top(dear) < D(1000) < _top(thin)
        assert _search(optimal) is None


def _top(of: PriceFacts) -> Decimal:
    searched = _search(of)
    assert searched is not None
    return max(searched, key=lambda pair: pair[1])[0]


def _search(of: PriceFacts) -> list[tuple[Decimal, float]] | None:
    """(price, expected gain with holding) of every allowed price, None when none gains half a percent."""
    price, cost, logistics = float(of.price), float(of.cost or 0), float(of.logistics or 0)
    kept = 1 - float(of.commission_rate or 0) - float(of.acquiring_rate or 0)
    elasticities = [tenth / 10 for tenth in range(-70, 21)]
    densities = [math.exp(-((e + 2.2) ** 2) / (2 * 1.2**2)) for e in elasticities]
    belief = [(e, density / sum(densities)) for e, density in zip(elasticities, densities, strict=True)]
    cover = None if of.stock is None else min(999.0, of.stock / float(of.units_per_day or 1))
    holding = cost * 0.001 * min(cover or 0, 120) / 2
    now = price * kept - cost - logistics

    found = []
    for tag in _tags(of) if of.own.is_repriced else []:
        if not _is_allowed(tag, of, kept, cost + logistics):
            continue
        then = float(tag) * kept - cost - logistics
        outcomes = [((float(tag) / price) ** e, weight) for e, weight in belief]
        gain = sum(weight * (ratio * then - now) for ratio, weight in outcomes)
        better = sum(weight for ratio, weight in outcomes if ratio * then > now)
        score = sum(weight * (ratio * (then + holding) - now - holding) for ratio, weight in outcomes)
        short = cover is None or (cover < 14 and not of.inbound)
        if gain <= 0 or (tag < of.price and (short or better < 0.6)):
            continue
        found.append((tag, score))
    worth = [pair for pair in found if pair[1] > 0 and pair[1] >= 0.005 * abs(now + holding)]
    return found if worth else None


def _tags(of: PriceFacts) -> list[Decimal]:
    """Every sellable number from half to twice the price: by its digits, three of which may differ from zero."""
    unit = D("0.01") if of.currency == "BYN" else D(1)
    tags = []
    for exponent in range(-2, 7):
        tags += [D(digits).scaleb(exponent) for digits in range(100, 1000)]
    tags += [D(number) * unit for number in range(1, 100)]
    return [tag for tag in tags if of.price <= 2 * tag <= 4 * of.price and tag % unit == 0]


def _is_allowed(tag: Decimal, of: PriceFacts, kept: float, unit_cost: float) -> bool:
    low, high = of.base_price * D("0.85"), of.base_price * D("1.10")
    margin = 0.10 if of.own.min_margin_rate is None else float(of.own.min_margin_rate)
    return (
        tag != of.price
        and abs(tag - of.price) <= of.price * D("0.10")
        and min(low, of.price) <= tag <= max(high, of.price)
        and tag >= (of.min_price or 0)
        and tag >= (of.own.min_price or 0)
        and tag <= (of.own.max_price or tag)
        and (float(tag) * kept - unit_cost) / float(tag) >= margin - 1e-12
    )


class TestSafety:
    @settings(max_examples=150, deadline=None)
    @given(of=any_facts())
    def test_no_input_yields_a_price_that_a_guardrail_refuses(self, of: PriceFacts) -> None:
        choice = choose(of, RULES)
        if isinstance(choice, Violation):
            return
        assert choice.price > 0
        assert choice.price >= choice.floor_price
        assert of.own.is_repriced
        assert (of.own.min_price or 0) <= choice.price <= (of.own.max_price or choice.price)
        assert abs(choice.price - of.price) <= RULES.max_step_rate * of.price
        assert violations(context(of), choice.price) == ()

    @pytest.mark.parametrize("direction", list(Direction)[:2])
    def test_the_inputs_above_reach_both_directions(self, direction: Direction) -> None:
        assert find(any_facts(), lambda of: getattr(choose(of, RULES), "direction", None) is direction, settings=FIRST)


class TestDirection:
    def test_it_raises_a_thin_margin(self) -> None:
        choice = chosen(facts(cost=D(600)))
        assert (choice.price, choice.direction) == (D(1100), Direction.UP)

    def test_it_cuts_a_fat_margin(self) -> None:
        choice = chosen(facts(cost=D(150)))
        assert (choice.price, choice.direction) == (D(900), Direction.DOWN)

    def test_it_leaves_a_price_near_its_optimum(self) -> None:
        assert refused(facts(cost=D(330))) == "gain_too_small"

    def test_it_does_not_cut_while_stock_is_short(self) -> None:
        fat = facts(cost=D(150))
        assert refused(replace(fat, stock=27)) == "gain_too_small"
        assert chosen(replace(fat, stock=28)).direction is Direction.DOWN
        assert chosen(replace(fat, stock=27, inbound=50)).direction is Direction.DOWN

    def test_it_does_not_cut_while_the_stock_is_unknown(self) -> None:
        assert refused(facts(cost=D(150), stock=None)) == "gain_too_small"
        assert not may_cut(facts(stock=None, inbound=50), RULES)
        assert not may_cut(facts(units_per_day=None), RULES)

    def test_stock_that_lies_long_makes_a_cut_worth_more(self) -> None:
        short, long = chosen(facts(cost=D(150), stock=30)), chosen(facts(cost=D(150), stock=240))
        assert long.holding_per_unit == D("9.00")  # 150 x .001 x 120 / 2
        assert short.holding_per_unit == D("1.12")
        assert long.difference == short.difference
        assert long.score_gain - long.difference.expected > short.score_gain - short.difference.expected > 0

    def test_a_cut_needs_more_than_an_even_chance(self) -> None:
        fat = facts(cost=D(150))
        sure = chosen(fat).probability_better
        assert refused(fat, PriceRules(cut_probability=sure + D("0.01"))) == "gain_too_small"
        assert chosen(fat, PriceRules(cut_probability=sure - D("0.01"))).price == D(900)

    def test_no_cut_is_expected_to_lose_profit_however_long_the_stock_lies(self) -> None:
        daring = PriceRules(cut_probability=D(0), min_gain_rate=D("0.001"))
        assert chosen(facts(cost=D(350), stock=400), daring).direction is Direction.DOWN
        assert refused(facts(cost=D(370), stock=400), daring) == "gain_too_small"

    def test_another_prior_leads_to_another_price(self) -> None:
        indifferent = Prior(mean=-0.8, sd=0.3)
        choice = chosen(facts(cost=D(150)), prior=indifferent, prior_experiments=12)
        assert choice.direction is Direction.UP
        assert (choice.prior_mean, choice.prior_sd, choice.prior_experiments) == (D("-0.8000"), D("0.3000"), 12)

    def test_a_gain_must_be_worth_a_change(self) -> None:
        thin = facts(cost=D(600))
        assert chosen(thin, PriceRules(min_gain_rate=D("0.20")))
        assert refused(thin, PriceRules(min_gain_rate=D("0.99"))) == "gain_too_small"


class TestFigures:
    def test_the_money_is_that_of_a_day(self) -> None:
        choice = chosen(facts(cost=D(600)))
        belief = Prior().weights()
        ratios = [1.1 ** (-7 + step / 10) for step in range(91)]
        mean = sum(weight * ratio for weight, ratio in zip(belief, ratios, strict=True))
        gains = sorted((2 * (ratio * 203.5 - 125), weight) for ratio, weight in zip(ratios, belief, strict=True))
        assert (choice.units_now, choice.revenue_now, choice.profit_now) == (D(2), D("2000.00"), D("250.00"))
        assert float(choice.units_then) == pytest.approx(2 * mean, abs=1e-4)
        assert float(choice.revenue_then) == pytest.approx(2200 * mean, abs=0.1)
        assert float(choice.difference.expected) == pytest.approx(2 * (mean * 203.5 - 125), abs=0.01)
        assert choice.profit_then == choice.profit_now + choice.difference.expected
        assert float(choice.difference.low) == pytest.approx(_quantile(gains, 0.05), abs=0.01)
        assert float(choice.difference.high) == pytest.approx(_quantile(gains, 0.95), abs=0.01)
        assert choice.difference.worst <= choice.difference.low < choice.difference.expected < choice.difference.high
        assert float(choice.probability_better) == pytest.approx(sum(w for g, w in gains if g > 0), abs=1e-4)

    def test_it_names_the_floor_the_prior_and_what_is_left_out(self) -> None:
        choice = chosen(facts(cost=D(600)))
        assert choice.floor_price == D(964)  # 660 / .685 = 963.5
        assert (choice.prior_mean, choice.prior_sd, choice.prior_experiments) == (D("-2.2000"), D("1.2000"), 0)
        assert "return_rate" in choice.left_out


def _quantile(outcomes: list[tuple[float, float]], share: float) -> float:
    reached = 0.0
    for gain, weight in outcomes:
        reached += weight
        if reached >= share:
            return gain
    raise AssertionError("weights do not sum to one")


class TestRoom:
    def test_an_unknown_cost_is_refused(self) -> None:
        assert refused(facts(cost=None)) == "unknown_terms"

    def test_shares_that_leave_nothing_are_refused(self) -> None:
        assert refused(facts(commission_rate=D("0.9"))) == "no_share_kept"

    def test_a_floor_out_of_reach_is_told_with_its_figures(self) -> None:
        violation = choose(facts(cost=D(900)), RULES)
        assert violation == Violation(
            "no_room", {"low_price": D(1410), "high_price": D("1100.00"), "floor_price": D(1410)}
        )

    def test_the_minimum_price_of_the_marketplace_holds(self) -> None:
        assert chosen(facts(cost=D(150), min_price=D(955))).price == D(955)

    def test_a_price_above_the_bounds_may_only_come_back(self) -> None:
        above = facts(price=D(1000), base_price=D(800), cost=D(600))
        assert refused(above) == "gain_too_small"
        assert chosen(replace(above, cost=D(150))).price == D(900)

    def test_the_current_price_itself_is_not_a_change(self) -> None:
        assert refused(facts(price=D(5), base_price=D(5), cost=D(1), logistics=D(0))) == "no_room"

    @pytest.mark.parametrize("field", ["price", "base_price"])
    def test_without_a_price_there_is_nothing_to_change(self, field: str) -> None:
        assert refused(facts(**{field: D(0)})) == "price_unknown"


class TestOwnRules:
    def test_a_price_goes_no_further_than_the_sellers_own_bounds(self) -> None:
        assert chosen(facts(cost=D(600), own=OwnRules(max_price=D(1053)))).price == D(1050)
        assert chosen(facts(cost=D(150), own=OwnRules(min_price=D(954)))).price == D(954)

    def test_a_bound_that_the_price_stands_on_leaves_no_room(self) -> None:
        assert refused(facts(cost=D(600), own=OwnRules(max_price=D(1000)))) == "gain_too_small"
        assert refused(facts(cost=D(600), own=OwnRules(min_price=D(1200)))) == "no_room"

    def test_its_own_margin_takes_the_place_of_the_shops(self) -> None:
        assert chosen(facts(cost=D(600), own=OwnRules(min_margin_rate=D("0.15")))).floor_price == D(1040)
        assert chosen(facts(cost=D(600), own=OwnRules(min_margin_rate=D(0)))).floor_price == D(841)
        assert refused(facts(cost=D(600), own=OwnRules(min_margin_rate=D("0.30")))) == "no_room"

    def test_a_product_that_is_not_to_be_repriced_is_left_alone(self) -> None:
        assert refused(facts(cost=D(600), own=OwnRules(is_repriced=False))) == "repricing_off"


class TestTurns:
    def test_one_price_is_looked_at_once_in_21_days_by_its_id(self) -> None:
        days = [offset for offset in range(42) if is_due(facts(today=TODAY + timedelta(days=offset)), RULES)]
        assert days == [0, 21]
        assert refused(facts(product_id=ITS_TURN + 1)) == "not_due"
        assert is_due(facts(product_id=ITS_TURN + 21), RULES)

    @pytest.mark.parametrize(("days", "due"), [(0, False), (20, False), (21, True), (40, True)])
    def test_a_price_looked_at_waits_its_21_days(self, days: int, due: bool) -> None:
        assert is_due(facts(product_id=ITS_TURN + 1, days_since_review=days), RULES) is due

    @pytest.mark.parametrize(("days", "due"), [(1, False), (20, False), (21, True)])
    def test_a_price_changed_waits_its_21_days_whoever_changed_it(self, days: int, due: bool) -> None:
        change = PastChange(changed_on=TODAY - timedelta(days=days), old_price=D(950), new_price=D(1000))
        assert is_due(facts(last_change=change, days_since_review=30), RULES) is due
        assert is_due(facts(last_change=change), RULES) is due

    def test_no_change_while_an_experiment_runs(self) -> None:
        assert refused(facts(cost=D(600), in_experiment=True)) == "experiment_running"

    def test_no_change_without_stock(self) -> None:
        assert refused(facts(cost=D(600), stock=0)) == "out_of_stock"

    @pytest.mark.parametrize("unseen", [{"units_per_day": None}, {"units_per_day": D(0)}, {"days_observed": 13}])
    def test_no_change_while_too_little_is_known(self, unseen: dict[str, object]) -> None:
        assert refused(facts(cost=D(600), **unseen)) == "too_few_days"
        assert chosen(facts(cost=D(600), days_observed=14))
