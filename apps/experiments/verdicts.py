"""Did the change earn more? A verdict by expected profit over a grid of hypotheses.

Pure: frozen records in, frozen records out. A `Question` lists the hypotheses (for a price: elasticities), what each
says about demand and about profit, and how likely each is before any data. `judge` weighs them by a window's sales;
`forecast` reads them as they are, before a start.

Sources: the posterior is a conjugate-style Gamma-Poisson baseline with negative-binomial spread, evaluated on a grid;
deciding by expected loss is GrowthBook's "risk" (docs.growthbook.io/statistics/details); typical elasticities are those
of Bijmolt, van Heerde & Pieters, "New Empirical Generalizations on the Determinants of Price Elasticity" (2005).
Posterior thresholds are not immune to peeking, hence the demanding CLAIM and looks only every seven days.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

import numpy as np

from apps.experiments.counterfactual import DEFAULT_NOISE, MIN_CONTROLS, Counterfactual, Floats, Noise

ELASTICITIES: Floats = np.arange(-70, 21) / 10
LOG_DEMAND_RATIOS: Floats = np.arange(-40, 41) / 25
CONTENT_PRIOR_SD = 0.25
MIN_PRIOR_SD = 0.25
"""A narrower prior would give parts of the grid a probability that is zero in floating point."""

CLAIM = 0.95
NEUTRAL_BAND, NEUTRAL_PROBABILITY = 0.03, 0.80
MIN_VALID_SHARE = 0.60
LITTLE_EXPECTED = 10.0
"""Fewer expected units than this cannot show any effect of a usual size: +-10 % of ten is one order."""
WORTH_EXTENDING = 0.01
EXTENSION_DAYS, MAX_DAYS = 7, 28
LENGTHS = tuple(range(EXTENSION_DAYS, MAX_DAYS + 1, EXTENSION_DAYS))
"""How many days may be measured: whole weeks, so that each weekday weighs the same on both sides."""
RANGE = (0.05, 0.95)
WORST_CASE = 0.01
FAR_OFF = 12.0
"""So many standard deviations above the mean nothing is left of a distribution."""
THIN_MARGIN = Decimal("0.01")


class Outcome(StrEnum):
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    NEUTRAL = "NEUTRAL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Action(StrEnum):
    KEEP = "keep"
    ROLL_BACK = "roll_back"
    EXTEND = "extend"


class Reason(StrEnum):
    """Why a verdict is INCONCLUSIVE."""

    UNKNOWN_COST = "UNKNOWN_COST"  # no profit can be told; the effect is that on revenue
    NO_BASELINE = "NO_BASELINE"  # no valid day before the change
    NO_VALID_DAYS = "NO_VALID_DAYS"  # out of stock throughout
    NO_SHOP_SALES = "NO_SHOP_SALES"  # no control sold anything on the valid days
    FEW_VALID_DAYS = "FEW_VALID_DAYS"
    FEW_CONTROLS = "FEW_CONTROLS"  # the whole shop's moves cannot be told from the change
    LITTLE_DATA = "LITTLE_DATA"
    WIDE_RANGE = "WIDE_RANGE"  # enough orders, and still neither better nor worse nor the same


class Basis(StrEnum):
    """What an effect of 1 is."""

    PROFIT = "PROFIT"  # the profit earned before
    TURNOVER = "TURNOVER"  # the change of profit over the turnover before: there was no profit to speak of
    REVENUE = "REVENUE"  # the revenue before; the profit is unknown


@dataclass(frozen=True)
class Economics:
    """A price change of one product in the shop's currency. None is unknown, and then so is the profit.

    commission_rate: fraction of the price; logistics: everything else paid per unit (delivery, acquiring, returns).
    """

    price_from: Decimal
    price_to: Decimal
    commission_rate: Decimal | None
    cost: Decimal | None
    logistics: Decimal | None

    def __post_init__(self) -> None:
        for name in ("price_from", "price_to"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be a price above zero, not {getattr(self, name)}")
        if self.commission_rate is not None and not 0 <= self.commission_rate < 1:
            raise ValueError(f"commission_rate must be a fraction from 0 to below 1, not {self.commission_rate}")

    def unit_profit(self, price: Decimal) -> Decimal | None:
        if self.commission_rate is None or self.cost is None or self.logistics is None:
            return None
        return price * (1 - self.commission_rate) - self.cost - self.logistics


@dataclass(frozen=True)
class Prior:
    """Normal prior of the elasticity."""

    mean: float = -2.2
    sd: float = 1.2

    def __post_init__(self) -> None:
        if self.sd < MIN_PRIOR_SD or not ELASTICITIES[0] <= self.mean <= ELASTICITIES[-1]:
            raise ValueError(
                f"a prior needs a mean between {ELASTICITIES[0]} and {ELASTICITIES[-1]} and an sd of at least "
                f"{MIN_PRIOR_SD}, not mean={self.mean}, sd={self.sd}"
            )

    def weights(self) -> Floats:
        """Probability of each of ELASTICITIES; sums to 1."""
        return _normal_weights(self.mean, self.sd)


DEFAULT_PRIOR = Prior()


@dataclass(frozen=True, eq=False)
class Question:
    """Hypotheses about a change: under each, `ratios` is new demand over old, `gains` the effect in units of `basis`,
    `prior` its probability. `unit_value`: money that an effect of 1 is for one unit sold before, None if unknown."""

    ratios: Floats
    gains: Floats
    prior: Floats
    basis: Basis
    unit_value: float | None


@dataclass(frozen=True)
class Effect:
    """An effect as a distribution: 0.12 is 12 % more (of what, says `basis`).

    probability: of being above zero, ties counted half; low, high: 90 % interval; worst: beaten in 99 of 100 cases;
    same: probability of lying within +-3 %; loss_keep and loss_back: expected loss of either decision.
    """

    basis: Basis
    probability: float
    expected: float
    low: float
    high: float
    worst: float
    same: float
    loss_keep: float
    loss_back: float


@dataclass(frozen=True)
class Money:
    """The effect in the shop's currency per day."""

    expected: Decimal
    low: Decimal
    high: Decimal
    worst: Decimal


@dataclass(frozen=True)
class Forecast:
    """What is expected of a change before it starts. `money` is None where the value of a unit is unknown."""

    effect: Effect
    money: Money | None

    @property
    def vetoed(self) -> bool:
        """Not worth starting: no gain is expected, or no profit can be told."""
        return self.effect.basis is Basis.REVENUE or self.effect.expected <= 0


@dataclass(frozen=True)
class Verdict:
    """What a window says. `lean` is the better decision as far as can be told, `action` the one to take now; both are
    None where the profit is unknown, for revenue is no ground to decide on. `reasons` is empty unless INCONCLUSIVE.
    `prior_probability` is the probability before any data: where it is close to that of `effect`, say so.
    `log_likelihood`: one value per hypothesis (91 for a price), relative to the best; stored, later priors are learnt
    from it.
    """

    outcome: Outcome
    lean: Action | None
    action: Action | None
    reasons: tuple[Reason, ...]
    effect: Effect
    money: Money | None
    prior_probability: float
    sales: Counterfactual
    log_likelihood: tuple[float, ...]


def price_question(economics: Economics, *, prior: Prior = DEFAULT_PRIOR) -> Question:
    """Demand by constant elasticity e: (price_to / price_from)^e. Profit where it is known, otherwise revenue.

    A percentage of a loss means nothing, of a margin below 1 % of the price hardly more: then the change of profit is
    put over the turnover instead. The decisions follow the same sums of money on either basis.
    """
    ratios = float(economics.price_to / economics.price_from) ** ELASTICITIES
    before, after = (economics.unit_profit(price) for price in (economics.price_from, economics.price_to))
    if before is None or after is None:
        before, after, basis = economics.price_from, economics.price_to, Basis.REVENUE
    else:
        basis = Basis.PROFIT if before > THIN_MARGIN * economics.price_from else Basis.TURNOVER
    unit = float(economics.price_from if basis is Basis.TURNOVER else before)
    return Question(ratios, (ratios * float(after) - float(before)) / unit, prior.weights(), basis, unit)


def content_question(unit_profit: Decimal | None) -> Question:
    """A change without a price (a photo, a title): the log of the demand ratio is around zero, give or take a quarter.

    The relative effect on profit is that on demand, so it can be told even where the profit of a unit is not known.
    """
    ratios = np.exp(LOG_DEMAND_RATIOS)
    prior = _normal_density(LOG_DEMAND_RATIOS, 0.0, CONTENT_PRIOR_SD)
    return Question(ratios, ratios - 1, prior, Basis.PROFIT, None if unit_profit is None else float(unit_profit))


def forecast(question: Question, *, daily_units: float) -> Forecast:
    """The effect by the prior alone, for a product that sells `daily_units` a day."""
    effect = _effect(question, question.prior)
    return Forecast(effect, _money(effect, question.unit_value, daily_units))


BLOCKS: dict[Reason, Callable[[Counterfactual, Question], bool]] = {
    Reason.UNKNOWN_COST: lambda sales, question: question.basis is Basis.REVENUE,
    Reason.NO_BASELINE: lambda sales, question: sales.baseline_days == 0,
    Reason.NO_VALID_DAYS: lambda sales, question: sales.valid_days == 0,
    Reason.NO_SHOP_SALES: lambda sales, question: sales.valid_days > 0 and sales.expected == 0,
    Reason.FEW_VALID_DAYS: lambda sales, question: 0 < sales.valid_days < MIN_VALID_SHARE * sales.days,
    Reason.FEW_CONTROLS: lambda sales, question: sales.controls < MIN_CONTROLS,
}
"""What forbids any claim, whatever the figures say."""


def judge(sales: Counterfactual, question: Question, *, noise: Noise = DEFAULT_NOISE) -> Verdict:
    """The verdict on one window. Where nothing was measured it is INCONCLUSIVE and the effect is the prior's."""
    log_likelihood = _log_likelihood(sales, question.ratios, noise)
    posterior = question.prior * np.exp(log_likelihood)
    effect = _effect(question, posterior / posterior.sum())
    blocks = tuple(reason for reason, applies in BLOCKS.items() if applies(sales, question))
    outcome = Outcome.INCONCLUSIVE if blocks else _outcome(effect)
    lean = _lean(effect)
    return Verdict(
        outcome=outcome,
        lean=lean,
        action=Action.EXTEND if lean and _worth_extending(outcome, effect, sales.days) else lean,
        reasons=blocks or _doubts(outcome, sales),
        effect=effect,
        money=_money(effect, question.unit_value, sales.expected / sales.days) if sales.measured else None,
        prior_probability=_probability(question.gains, question.prior),
        sales=sales,
        log_likelihood=tuple(log_likelihood.tolist()),
    )


def usual_range(mean: float, shape: float, *, noise: Noise = DEFAULT_NOISE) -> tuple[int, int]:
    """Units between which nine of ten windows end that expect `mean` and in which nothing was changed.

    These are RANGE's quantiles of the distribution that `judge` weighs hypotheses by.
    """
    if mean <= 0:
        return 0, 0
    variance = float(noise.variance(np.array(mean), shape))
    excess = variance - mean
    size = mean**2 / excess
    units = np.arange(int(mean + FAR_OFF * math.sqrt(variance)) + 1)
    steps = np.log((units + size) / (units + 1)) + math.log(excess / variance)
    none = -size * math.log(variance / mean)
    reached = np.cumsum(np.exp(none + np.concatenate(([0.0], np.cumsum(steps)))))
    low, high = np.searchsorted(reached, RANGE)
    return int(low), int(high)


def _outcome(effect: Effect) -> Outcome:
    if effect.probability >= CLAIM:
        return Outcome.SUCCESS
    if effect.probability <= 1 - CLAIM:
        return Outcome.FAILED
    return Outcome.NEUTRAL if effect.same >= NEUTRAL_PROBABILITY else Outcome.INCONCLUSIVE


def _lean(effect: Effect) -> Action | None:
    """The smaller expected loss, which is the sign of the expected effect."""
    if effect.basis is Basis.REVENUE:
        return None
    return Action.KEEP if effect.expected >= 0 else Action.ROLL_BACK


def _doubts(outcome: Outcome, sales: Counterfactual) -> tuple[Reason, ...]:
    if outcome is not Outcome.INCONCLUSIVE:
        return ()
    return (Reason.LITTLE_DATA if sales.expected < LITTLE_EXPECTED else Reason.WIDE_RANGE,)


def _worth_extending(outcome: Outcome, effect: Effect, days: int) -> bool:
    """Seven more days pay while both decisions may still cost something, and no longer than four weeks."""
    dear = min(effect.loss_keep, effect.loss_back) >= WORTH_EXTENDING
    return outcome is Outcome.INCONCLUSIVE and dear and days < MAX_DAYS


def _log_likelihood(sales: Counterfactual, ratios: Floats, noise: Noise) -> Floats:
    """Negative binomial log-likelihood of the observed units under each demand ratio, relative to the best.

    Mean mu = expected * ratio and variance V = phi mu (1 + mu/shape) + sig2 mu^2, so size r = mu^2 / (V - mu).
    """
    if not sales.measured:
        return np.zeros(len(ratios))
    mean = sales.expected * ratios
    variance = noise.variance(mean, sales.shape)
    excess = variance - mean
    size = mean**2 / excess
    log: Floats = _log_gamma(sales.observed + size) - _log_gamma(size) - size * np.log(variance / mean)
    log += sales.observed * np.log(excess / variance)
    log -= log.max()
    return log


def _log_gamma(values: Floats) -> Floats:
    """numpy has no log-gamma, and for a hundred values the standard library's is as fast as any."""
    return np.array([math.lgamma(value) for value in values.tolist()])


def _effect(question: Question, weights: Floats) -> Effect:
    gains = question.gains
    order = np.argsort(gains, kind="stable")
    reached = np.cumsum(weights[order])
    low, high, worst = (
        float(gains[order][min(int(np.searchsorted(reached, quantile)), len(gains) - 1)])
        for quantile in (*RANGE, WORST_CASE)
    )
    return Effect(
        basis=question.basis,
        probability=_probability(gains, weights),
        expected=float(weights @ gains),
        low=low,
        high=high,
        worst=worst,
        same=float(weights @ (np.abs(gains) < NEUTRAL_BAND)),
        loss_keep=float(weights @ np.maximum(-gains, 0)),
        loss_back=float(weights @ np.maximum(gains, 0)),
    )


def _probability(gains: Floats, weights: Floats) -> float:
    return min(float(weights @ (np.sign(gains) + 1) / 2), 1.0)


def _money(effect: Effect, unit_value: float | None, daily_units: float) -> Money | None:
    if unit_value is None:
        return None
    values = (effect.expected, effect.low, effect.high, effect.worst)
    return Money(*(Decimal(f"{value * unit_value * daily_units:.2f}") for value in values))


@lru_cache(maxsize=64)
def _normal_weights(mean: float, sd: float) -> Floats:
    weights = _normal_density(ELASTICITIES, mean, sd)
    weights.setflags(write=False)
    return weights


def _normal_density(grid: Floats, mean: float, sd: float) -> Floats:
    density: Floats = np.exp(-0.5 * ((grid - mean) / sd) ** 2)
    density /= density.sum()
    return density


ELASTICITIES.setflags(write=False)
LOG_DEMAND_RATIOS.setflags(write=False)
