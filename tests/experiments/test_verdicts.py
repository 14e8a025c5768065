"""Verdicts: effects, likelihoods, claims, actions."""

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.experiments.counterfactual import DEFAULT_NOISE, MIN_CONTROLS, Counterfactual, Noise
from apps.experiments.verdicts import (
    CLAIM,
    ELASTICITIES,
    LOG_DEMAND_RATIOS,
    Action,
    Basis,
    Economics,
    Effect,
    Money,
    Outcome,
    Prior,
    Question,
    Reason,
    content_question,
    forecast,
    judge,
    price_question,
    usual_range,
)

SURE = Question(np.array([0.5, 1.0, 2.0]), np.array([-0.5, 0.0, 1.0]), np.array([0.25, 0.5, 0.25]), Basis.PROFIT, 30.0)


def sales(expected: float = 38.0, observed: int = 41, **changes: Any) -> Counterfactual:
    """A week of a healthy shop."""
    week = Counterfactual(
        expected=expected,
        observed=observed,
        shape=120.0,
        days=7,
        valid_days=7,
        baseline_days=56,
        inferred_days=0,
        controls=240,
        category_factor=1.0,
        index_change=0.06,
    )
    return replace(week, **changes)


def economics(price_to: str = "110", *, price_from: str = "100", cost: str | None = "40") -> Economics:
    """Unit profit at 100 is 80 - 40 - 10 = 30, at 110 it is 38."""
    unit_cost = None if cost is None else Decimal(cost)
    return Economics(Decimal(price_from), Decimal(price_to), Decimal("0.20"), unit_cost, Decimal(10))


def question_of(*gains: float) -> Question:
    """Equally likely gains that no sales can tell apart."""
    same = np.full(len(gains), 1 / len(gains))
    return Question(np.ones(len(gains)), np.array(gains), same, Basis.PROFIT, 1.0)


def negative_binomial(observed: int, mean: float, variance: float) -> float:
    size = mean**2 / (variance - mean)
    coefficient = math.gamma(observed + size) / math.gamma(size) / math.factorial(observed)
    return coefficient * (size / (size + mean)) ** size * (mean / (size + mean)) ** observed


class TestEffects:
    def test_the_effect_of_a_price_is_that_on_profit(self) -> None:
        question = price_question(economics())
        gain = dict(zip(ELASTICITIES.round(1).tolist(), question.gains.tolist(), strict=True))
        assert gain[0.0] == pytest.approx(38 / 30 - 1)
        assert gain[-1.0] == pytest.approx(38 / 30 / 1.1 - 1)
        assert gain[-2.0] == pytest.approx(38 / 30 / 1.21 - 1)
        assert gain[-3.0] == pytest.approx(38 / 30 / 1.331 - 1)
        assert (question.basis, question.unit_value) == (Basis.PROFIT, 30.0)

    def test_the_grid_is_that_of_the_rule(self) -> None:
        assert (len(ELASTICITIES), ELASTICITIES[0], ELASTICITIES[-1]) == (91, -7.0, 2.0)
        assert (len(LOG_DEMAND_RATIOS), LOG_DEMAND_RATIOS[0], LOG_DEMAND_RATIOS[-1]) == (81, -1.6, 1.6)
        assert np.diff(ELASTICITIES) == pytest.approx(0.1)
        assert np.diff(LOG_DEMAND_RATIOS) == pytest.approx(0.04)

    def test_the_prior_is_normal_on_the_grid(self) -> None:
        weights = Prior(-2.0, 0.5).weights()
        assert weights.sum() == pytest.approx(1)
        assert weights @ ELASTICITIES == pytest.approx(-2.0)
        assert weights @ (ELASTICITIES + 2) ** 2 == pytest.approx(0.25)
        at = ELASTICITIES.round(1).tolist().index
        assert weights[at(-1.0)] / weights[at(-2.0)] == pytest.approx(math.exp(-0.5 * (1 / 0.5) ** 2))

    @pytest.mark.parametrize(("mean", "sd"), [(-2.2, 0.0), (-2.2, 0.2), (-7.1, 1.2), (2.1, 1.2)])
    def test_it_refuses_a_prior_that_the_grid_cannot_hold(self, mean: float, sd: float) -> None:
        with pytest.raises(
            ValueError, match=r"a prior needs a mean between -7\.0 and 2\.0 and an sd of at least 0\.25"
        ):
            Prior(mean, sd)

    def test_probability_expectation_range_and_losses_are_sums_over_the_hypotheses(self) -> None:
        assert forecast(SURE, daily_units=2.0).effect == Effect(
            basis=Basis.PROFIT,
            probability=0.5,  # 0.25 better and half of the 0.5 that are the same
            expected=0.125,
            low=-0.5,
            high=1.0,
            worst=-0.5,
            same=0.5,
            loss_keep=0.125,
            loss_back=0.25,
        )

    def test_the_range_leaves_five_percent_on_either_side(self) -> None:
        effect = forecast(question_of(*(n / 100 for n in range(1, 101))), daily_units=1).effect
        assert (effect.low, effect.high, effect.worst) == (0.05, 0.95, 0.01)

    def test_money_is_the_effect_on_a_day_s_profit(self) -> None:
        assert forecast(SURE, daily_units=2.0).money == Money(
            expected=Decimal("7.50"), low=Decimal("-30.00"), high=Decimal("60.00"), worst=Decimal("-30.00")
        )

    def test_a_raise_of_a_thin_margin_is_expected_to_pay_and_a_cut_is_vetoed(self) -> None:
        raised = forecast(price_question(economics("110", cost="62")), daily_units=1.3)
        cut = forecast(price_question(economics("90", cost="62")), daily_units=1.3)
        assert (raised.vetoed, cut.vetoed) == (False, True)
        assert raised.effect.expected > 0.5
        assert raised.money is not None
        assert raised.money.worst <= raised.money.low <= raised.money.expected <= raised.money.high

    def test_the_expected_effect_of_a_price_is_that_of_the_prior(self) -> None:
        effect = forecast(price_question(economics(), prior=Prior(-2.0, 0.5)), daily_units=1).effect
        by_hand = sum(
            math.exp(-0.5 * ((e / 10 + 2) / 0.5) ** 2) * (1.1 ** (e / 10) * 38 / 30 - 1) for e in range(-70, 21)
        ) / sum(math.exp(-0.5 * ((e / 10 + 2) / 0.5) ** 2) for e in range(-70, 21))
        assert effect.expected == pytest.approx(by_hand, rel=1e-12)
        # Under -2.5 the raise loses: 1.1^-2.48 = 30/38. That is about one standard deviation off.
        assert effect.probability == pytest.approx(0.83, abs=0.02)

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("price_from", "0", "price_from must be a price above zero, not 0"),
            ("price_to", "-1", "price_to must be a price above zero, not -1"),
            ("commission_rate", "1", "commission_rate must be a fraction from 0 to below 1, not 1"),
            ("commission_rate", "22", "commission_rate must be a fraction from 0 to below 1, not 22"),
        ],
    )
    def test_it_refuses_economics_that_cannot_be(self, field: str, value: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            replace(economics(), **{field: Decimal(value)})


class TestLikelihood:
    @pytest.mark.parametrize("observed", [0, 1, 7, 60])
    def test_it_is_the_negative_binomial_one(self, observed: int) -> None:
        verdict = judge(sales(6.5, observed, shape=9.0), price_question(economics()), noise=Noise(1.3, 0.04))
        means = [6.5 * 1.1 ** (e / 10) for e in range(-70, 21)]
        likelihood = [negative_binomial(observed, m, 1.3 * m * (1 + m / 9) + 0.04 * m * m) for m in means]
        relative = [math.log(value / max(likelihood)) for value in likelihood]
        assert verdict.log_likelihood == pytest.approx(relative, abs=1e-9)

    def test_a_size_of_one_is_the_geometric_distribution(self) -> None:
        # phi 1 leaves V - mu = mu^2 (1/shape + sig2), so the size is 1 / (1/2 + 1/2) whatever the mean.
        verdict = judge(sales(4.0, 3, shape=2.0), SURE, noise=Noise(1.0, 0.5))
        likelihood = [(1 / (1 + mean)) * (mean / (1 + mean)) ** 3 for mean in (2.0, 4.0, 8.0)]
        assert verdict.log_likelihood == pytest.approx([math.log(v / max(likelihood)) for v in likelihood])
        posterior = np.array([0.25, 0.5, 0.25]) * likelihood
        posterior /= posterior.sum()
        assert verdict.effect.probability == pytest.approx(posterior[2] + posterior[1] / 2)
        assert verdict.effect.expected == pytest.approx(posterior[2] - posterior[0] / 2)
        assert verdict.effect.loss_keep == pytest.approx(posterior[0] / 2)
        assert verdict.effect.loss_back == pytest.approx(posterior[2])
        assert verdict.prior_probability == 0.5

    def test_there_is_one_value_for_each_elasticity_and_the_best_is_zero(self) -> None:
        values = judge(sales(), price_question(economics())).log_likelihood
        assert (len(values), max(values)) == (91, 0.0)
        assert all(math.isfinite(value) for value in values)

    def test_without_a_measurement_the_effect_stays_that_of_the_prior(self) -> None:
        question = price_question(economics())
        verdict = judge(sales(0.0, 0, valid_days=0), question)
        assert verdict.effect == forecast(question, daily_units=1).effect
        assert set(verdict.log_likelihood) == {0.0}
        assert verdict.money is None

    @settings(max_examples=80, deadline=None)
    @given(
        st.floats(0.01, 3000),
        st.integers(0, 3000),
        st.floats(0.5, 5000),
        st.sampled_from(["1", "50", "87.5", "100", "109", "115", "900"]),
        st.sampled_from([None, "0", "40", "69.99", "75"]),
    )
    def test_it_is_finite_for_any_sales_and_prices(
        self, expected: float, observed: int, shape: float, price_to: str, cost: str | None
    ) -> None:
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            verdict = judge(sales(expected, observed, shape=shape), price_question(economics(price_to, cost=cost)))
        effect = verdict.effect
        figures = (effect.expected, effect.low, effect.high, effect.worst, effect.loss_keep, effect.loss_back)
        assert all(math.isfinite(figure) for figure in figures)
        assert 0 <= effect.probability <= 1
        assert effect.worst <= effect.low <= effect.high
        assert effect.loss_back - effect.loss_keep == pytest.approx(effect.expected, abs=1e-9)


class TestUsualRange:
    @pytest.mark.parametrize("mean", [0.3, 1.0, 6.5, 38.0])
    @pytest.mark.parametrize("noise", [DEFAULT_NOISE, Noise(1.0, 0.01)])
    def test_it_leaves_five_percent_on_either_side(self, mean: float, noise: Noise) -> None:
        low, high = usual_range(mean, 9.0, noise=noise)

        variance = noise.phi * mean * (1 + mean / 9) + noise.sig2 * mean * mean
        at_most = np.cumsum([negative_binomial(units, mean, variance) for units in range(high + 1)])
        assert at_most[low] >= 0.05
        assert low == 0 or at_most[low - 1] < 0.05
        assert at_most[high] >= 0.95 > at_most[high - 1]

    def test_it_widens_with_what_is_expected_and_with_what_is_not_known(self) -> None:
        assert usual_range(7.0, 120.0) < usual_range(70.0, 120.0)
        (low, high), (lowest, highest) = usual_range(40.0, 120.0), usual_range(40.0, 3.0)
        assert lowest < low < 40 < high < highest

    def test_where_nothing_is_expected_nothing_is_usual(self) -> None:
        assert usual_range(0.0, 0.5) == (0, 0)

    @given(mean=st.floats(1e-6, 1e4), shape=st.floats(0.5, 1e4))
    def test_it_holds_its_mean_more_or_less(self, mean: float, shape: float) -> None:
        low, high = usual_range(mean, shape)
        assert 0 <= low <= mean <= high + 1


class TestMonotony:
    @settings(max_examples=60, deadline=None)
    @given(
        st.floats(0.5, 400),
        st.integers(0, 400),
        st.floats(0.5, 500),
        st.sampled_from(["85", "93", "104", "115"]),
    )
    def test_one_more_sale_never_speaks_against_the_new_price(
        self, expected: float, observed: int, shape: float, price_to: str
    ) -> None:
        question = price_question(economics(price_to))
        fewer, more = (judge(sales(expected, n, shape=shape), question) for n in (observed, observed + 1))
        assert more.effect.probability >= fewer.effect.probability - 1e-12
        assert more.effect.expected >= fewer.effect.expected - 1e-12

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 100), st.floats(-4, 0), st.floats(0.05, 2))
    def test_buyers_believed_to_be_touchier_speak_against_a_raise(
        self, observed: int, mean: float, touchier: float
    ) -> None:
        calm, touchy = (
            judge(sales(observed=observed), price_question(economics(), prior=Prior(m, 1.0)))
            for m in (mean, mean - touchier)
        )
        assert touchy.effect.expected < calm.effect.expected

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 100), st.integers(0, 60), st.integers(1, 9))
    def test_a_dearer_product_gains_more_by_a_raise(self, observed: int, cost: int, dearer: int) -> None:
        questions = [price_question(economics(cost=str(c))) for c in (cost, cost + dearer)]
        assume({question.basis for question in questions} == {Basis.PROFIT})  # without profit, turnover is compared
        cheap, dear = (judge(sales(observed=observed), question) for question in questions)
        assert dear.effect.expected > cheap.effect.expected

    def test_noisier_days_say_less(self) -> None:
        question = content_question(Decimal(30))
        quiet, noisy = (judge(sales(40, 70), question, noise=Noise(1.2, sig2)) for sig2 in (0.01, 0.3))
        assert quiet.effect.probability > noisy.effect.probability > 0.5
        assert quiet.effect.high - quiet.effect.low < noisy.effect.high - noisy.effect.low


class TestOutcomes:
    @pytest.mark.parametrize(
        ("better", "outcome", "action"),
        [
            (100, Outcome.SUCCESS, Action.KEEP),
            (95, Outcome.SUCCESS, Action.KEEP),
            (94, Outcome.INCONCLUSIVE, Action.KEEP),
            (6, Outcome.INCONCLUSIVE, Action.ROLL_BACK),
            (5, Outcome.FAILED, Action.ROLL_BACK),
            (0, Outcome.FAILED, Action.ROLL_BACK),
        ],
    )
    def test_a_claim_needs_ninety_five_percent(self, better: int, outcome: Outcome, action: Action) -> None:
        verdict = judge(sales(days=28, valid_days=28), question_of(*[0.1] * better, *[-0.1] * (100 - better)))
        assert (verdict.outcome, verdict.lean, verdict.action) == (outcome, action, action)
        assert verdict.reasons == ((Reason.WIDE_RANGE,) if outcome is Outcome.INCONCLUSIVE else ())

    @pytest.mark.parametrize(("close", "outcome"), [(80, Outcome.NEUTRAL), (79, Outcome.INCONCLUSIVE)])
    def test_neutral_is_within_three_percent_with_eighty(self, close: int, outcome: Outcome) -> None:
        half = close // 2
        gains = [0.029] * half + [-0.029] * (close - half) + [0.031] * 10 + [-0.031] * (90 - close)
        assert judge(sales(), question_of(*gains)).outcome is outcome

    def test_many_more_orders_than_expected_are_a_success(self) -> None:
        verdict = judge(sales(38, 90), price_question(economics()))
        assert (verdict.outcome, verdict.action, verdict.reasons) == (Outcome.SUCCESS, Action.KEEP, ())
        assert verdict.effect.probability > verdict.prior_probability
        assert verdict.money is not None
        assert verdict.money.expected == Decimal(f"{verdict.effect.expected * 38 / 7 * 30:.2f}")
        assert verdict.money.low == Decimal(f"{verdict.effect.low * 38 / 7 * 30:.2f}")

    def test_a_raise_after_which_nobody_buys_has_failed(self) -> None:
        verdict = judge(sales(300, 60, shape=900.0), price_question(economics("115", cost="20")))
        assert (verdict.outcome, verdict.action) == (Outcome.FAILED, Action.ROLL_BACK)
        assert verdict.effect.high < 0

    def test_six_orders_prove_nothing(self) -> None:
        verdict = judge(sales(7.1, 6), price_question(economics()))
        assert (verdict.outcome, verdict.reasons) == (Outcome.INCONCLUSIVE, (Reason.LITTLE_DATA,))

    def test_an_unchanged_price_is_neutral_and_not_worth_starting(self) -> None:
        question = price_question(economics("100"))
        verdict = judge(sales(38, 90), question)
        assert (verdict.outcome, verdict.action) == (Outcome.NEUTRAL, Action.KEEP)
        assert verdict.effect.probability == pytest.approx(0.5)
        assert (verdict.effect.expected, verdict.effect.low, verdict.effect.high) == (0, 0, 0)
        assert forecast(question, daily_units=5).vetoed

    @pytest.mark.parametrize(("days", "valid", "few"), [(7, 4, True), (7, 5, False), (14, 8, True), (14, 9, False)])
    def test_fewer_than_sixty_percent_valid_days_claim_nothing(self, days: int, valid: int, few: bool) -> None:
        verdict = judge(sales(38, 90, days=days, valid_days=valid), price_question(economics()))
        assert (Reason.FEW_VALID_DAYS in verdict.reasons) is few
        assert (verdict.outcome is Outcome.INCONCLUSIVE) is few
        assert verdict.effect.probability > CLAIM

    def test_too_few_controls_claim_nothing(self) -> None:
        verdict = judge(sales(38, 90, controls=MIN_CONTROLS - 1, index_change=None), price_question(economics()))
        assert (verdict.outcome, verdict.reasons) == (Outcome.INCONCLUSIVE, (Reason.FEW_CONTROLS,))
        assert verdict.lean is Action.KEEP

    @pytest.mark.parametrize(
        ("changes", "reasons"),
        [
            ({"valid_days": 0}, (Reason.NO_VALID_DAYS,)),
            ({"baseline_days": 0, "expected": 3.5}, (Reason.NO_BASELINE,)),
            ({"valid_days": 7}, (Reason.NO_SHOP_SALES,)),
            ({"baseline_days": 0, "valid_days": 0}, (Reason.NO_BASELINE, Reason.NO_VALID_DAYS)),
        ],
    )
    def test_it_names_why_nothing_was_measured(self, changes: dict[str, Any], reasons: tuple[Reason, ...]) -> None:
        verdict = judge(sales(**({"expected": 0.0, "observed": 0} | changes)), price_question(economics(cost="62")))
        assert (verdict.outcome, verdict.reasons, verdict.money) == (Outcome.INCONCLUSIVE, reasons, None)


class TestActions:
    @pytest.mark.parametrize(
        ("days", "action"), [(7, Action.EXTEND), (14, Action.EXTEND), (21, Action.EXTEND), (28, Action.KEEP)]
    )
    def test_an_open_question_is_extended_by_the_week_and_no_longer_than_four(self, days: int, action: Action) -> None:
        verdict = judge(sales(days=days, valid_days=days), question_of(0.3, -0.1))
        assert (verdict.outcome, verdict.action, verdict.lean) == (Outcome.INCONCLUSIVE, action, Action.KEEP)

    @pytest.mark.parametrize(
        ("gain", "loss", "action"),
        [
            (0.3, 0.019, Action.KEEP),
            (0.3, 0.021, Action.EXTEND),
            (0.019, 0.3, Action.ROLL_BACK),
            (0.021, 0.3, Action.EXTEND),
        ],
    )
    def test_it_is_not_extended_where_the_expected_loss_is_below_one_percent(
        self, gain: float, loss: float, action: Action
    ) -> None:
        verdict = judge(sales(), question_of(gain, -loss))
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert verdict.action is action

    def test_a_claim_is_acted_on_at_once_however_dear_an_error_were(self) -> None:
        verdict = judge(sales(), question_of(*[5.0] * 95, *[-5.0] * 5))
        assert verdict.effect.loss_keep > 0.01
        assert (verdict.outcome, verdict.action) == (Outcome.SUCCESS, Action.KEEP)


class TestWithoutProfit:
    def test_an_unknown_cost_leaves_only_the_revenue(self) -> None:
        verdict = judge(sales(38, 90), price_question(economics(cost=None)))
        assert (verdict.outcome, verdict.reasons) == (Outcome.INCONCLUSIVE, (Reason.UNKNOWN_COST,))
        assert (verdict.lean, verdict.action) == (None, None)
        assert verdict.effect.basis is Basis.REVENUE
        assert verdict.money is not None
        assert verdict.money.expected == Decimal(f"{verdict.effect.expected * 38 / 7 * 100:.2f}")

    @pytest.mark.parametrize("field", ["commission_rate", "logistics"])
    def test_so_does_any_other_unknown_part(self, field: str) -> None:
        unknown: dict[str, Any] = {field: None}
        question = price_question(replace(economics(), **unknown))
        assert question.basis is Basis.REVENUE
        assert question.gains == pytest.approx(1.1 ** (ELASTICITIES + 1) - 1)

    def test_nothing_is_started_on_revenue_alone(self) -> None:
        planned = forecast(price_question(economics(cost=None), prior=Prior(0.5, 0.5)), daily_units=3)
        assert planned.effect.expected > 0
        assert planned.vetoed

    def test_out_of_a_loss_the_effect_is_a_share_of_the_turnover(self) -> None:
        question = price_question(economics("130", cost="90"))  # from -20 to +4 a unit
        assert (question.basis, question.unit_value) == (Basis.TURNOVER, 100.0)
        assert question.gains == pytest.approx((1.3**ELASTICITIES * 4 + 20) / 100)
        verdict = judge(sales(), question)
        assert (verdict.outcome, verdict.action) == (Outcome.SUCCESS, Action.KEEP)
        assert verdict.money is not None
        assert verdict.money.low >= Decimal("108.57")  # 20 a unit on 38 / 7 units is the loss that ends

    def test_a_cut_that_deepens_a_loss_has_failed(self) -> None:
        verdict = judge(sales(38, 90), price_question(economics("90", cost="90")))
        assert (verdict.outcome, verdict.action) == (Outcome.FAILED, Action.ROLL_BACK)

    def test_selling_less_of_a_loss_is_a_gain(self) -> None:
        question = price_question(economics("105", cost="90"))  # from -20 to -16 a unit
        fewer, more = (judge(sales(38, observed), question).effect.expected for observed in (10, 80))
        assert fewer > more

    @pytest.mark.parametrize(
        ("cost", "basis"), [("70", Basis.TURNOVER), ("69", Basis.TURNOVER), ("68.99", Basis.PROFIT)]
    )
    def test_a_margin_below_one_percent_of_the_price_is_no_measure(self, cost: str, basis: Basis) -> None:
        assert price_question(economics(cost=cost)).basis is basis

    def test_money_is_the_same_on_either_basis(self) -> None:
        thin, thinner = (forecast(price_question(economics(cost=c)), daily_units=10) for c in ("68.99", "69.01"))
        assert thin.money is not None
        assert thinner.money is not None
        assert thinner.effect.expected < 1 < thin.effect.expected
        assert float(thin.money.expected) == pytest.approx(float(thinner.money.expected), rel=0.01)


class TestContent:
    def test_it_is_the_same_verdict_on_another_grid(self) -> None:
        question = content_question(Decimal(30))
        assert question.gains == pytest.approx(np.exp(LOG_DEMAND_RATIOS) - 1)
        verdict = judge(sales(38, 90), question)
        assert (verdict.outcome, len(verdict.log_likelihood)) == (Outcome.SUCCESS, 81)
        assert verdict.prior_probability == pytest.approx(0.5)

    def test_it_needs_no_profit_but_tells_no_money_then(self) -> None:
        verdict = judge(sales(38, 90), content_question(None))
        assert (verdict.outcome, verdict.money) == (Outcome.SUCCESS, None)
        assert verdict.effect == judge(sales(38, 90), content_question(Decimal(30))).effect


def test_probabilities_are_as_often_right_as_they_say() -> None:
    """1200 experiments drawn from the model itself: true elasticity from the prior, sales from its distribution."""
    numbers = np.random.default_rng(20)
    noise, said, true = Noise(), [], []
    for _ in range(1200):
        margin, change = numbers.uniform(0.1, 0.6), numbers.choice([0.87, 0.95, 1.06, 1.14])
        question = price_question(economics(f"{100 * change:.2f}", cost=f"{70 - 100 * margin:.2f}"))
        hypothesis = numbers.choice(len(ELASTICITIES), p=question.prior)
        expected, shape = numbers.lognormal(3, 1), numbers.uniform(5, 200)
        mean = expected * question.ratios[hypothesis]
        excess = (noise.phi - 1 + (noise.phi / shape + noise.sig2) * mean) * mean
        observed = numbers.poisson(mean * numbers.gamma(mean**2 / excess) * excess / mean**2)
        said.append(judge(sales(expected, observed, shape=shape), question).effect.probability)
        true.append(question.gains[hypothesis] > 0)
    probability, better = np.array(said), np.array(true)
    for low, high in [(0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1)]:
        among = (probability >= low) & (probability <= high)
        assert among.sum() >= 30
        error = 3 * math.sqrt((probability[among] * (1 - probability[among])).sum()) / among.sum()
        assert better[among].mean() == pytest.approx(probability[among].mean(), abs=max(error, 0.02))
