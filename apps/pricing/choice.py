"""The price with the highest expected profit among the grid prices that the guardrails allow.

Demand has a constant elasticity e that is not known, only how likely each e is, so a price x instead of x0 scores

    E[(x / x0)^e (x (1 - shares) - costs + holding)] - (x0 (1 - shares) - costs + holding)      per unit sold now

where `holding` is what selling a unit sooner saves: the daily cost of keeping goods, over half the days that the stock
lasts. A cut must also earn more with a probability of its own, and never while stock is short. No change is made that
is expected to lose profit (the experiment that follows is judged on profit alone) or to gain next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import numpy as np
import numpy.typing as npt

from apps.experiments.verdicts import DEFAULT_PRIOR, ELASTICITIES, Money, Prior, forecast, price_question
from apps.pricing.economics import change_economics, floor_price, unit_costs
from apps.pricing.grid import grid_of
from apps.pricing.guardrails import bound_range, own_range, step_range
from apps.pricing.records import Choice, PriceFacts, PriceRules, UnitCosts, Violation

CENT = Decimal("0.01")
TENTH_OF_PERMILLE = Decimal("0.0001")

Floats = npt.NDArray[np.float64]


def choose(
    facts: PriceFacts, rules: PriceRules, *, prior: Prior = DEFAULT_PRIOR, prior_experiments: int = 0
) -> Choice | Violation:
    """The price to propose today, or what leaves the price as it is.

    `prior` is the belief about the elasticity and `prior_experiments` the number of experiments it was learned from.
    """
    if blocked := why_not_now(facts, rules):
        return blocked
    costs = unit_costs(facts, rules)
    if isinstance(costs, Violation):
        return costs
    floor = floor_price(costs, min_margin_rate=rules.min_margin_of(facts), currency=facts.currency)
    if isinstance(floor, Violation):
        return floor
    prices = allowed_prices(facts, rules, floor=floor)
    if isinstance(prices, Violation):
        return prices
    case = _Case(facts, rules, costs, holding_per_unit(facts, rules, costs), prior)
    best = _best_of(prices, case)
    return _outlook(best, case, floor, prior_experiments) if best else _not_worthwhile(rules)


def why_not_now(facts: PriceFacts, rules: PriceRules) -> Violation | None:
    """What forbids any change of this SKU today."""
    if not facts.own.is_repriced:
        return Violation("repricing_off", {"sku": facts.sku})
    if facts.price <= 0 or facts.base_price <= 0:
        return Violation("price_unknown", {"price": facts.price, "base_price": facts.base_price})
    if facts.in_experiment:
        return Violation("experiment_running", {"sku": facts.sku})
    if facts.units_per_day is None or facts.units_per_day <= 0 or facts.days_observed < rules.min_days_observed:
        return Violation("too_few_days", {"observed_days": facts.days_observed, "min_days": rules.min_days_observed})
    if facts.stock == 0:
        return Violation("out_of_stock", {"sku": facts.sku})
    return None if is_due(facts, rules) else Violation("not_due", {"spacing_days": rules.days_between_changes})


def is_due(facts: PriceFacts, rules: PriceRules) -> bool:
    """One look per SKU and spacing. SKUs never looked at take turns by their id, so that a new shop is not changed at
    once and enough of it stays untouched to compare with."""
    spacing = rules.days_between_changes
    if facts.days_since_change is not None and facts.days_since_change < spacing:
        return False
    if facts.days_since_review is not None:
        return facts.days_since_review >= spacing
    return facts.product_id % spacing == facts.today.toordinal() % spacing


def allowed_prices(facts: PriceFacts, rules: PriceRules, *, floor: Decimal) -> tuple[Decimal, ...] | Violation:
    """The grid prices other than the current one that keep the floor, the minimum price, the step, the bounds, the
    seller's own bounds and, where stock is short or unknown, do not cut."""
    step_low, step_high = step_range(facts.price, rules)
    bound_low, bound_high = bound_range(facts, facts.price, rules)
    own_low, own_high = own_range(facts.own)
    lowest = max(step_low, bound_low, own_low, floor, facts.min_price or Decimal(0))
    highest = min(step_high, bound_high, own_high)
    if not may_cut(facts, rules):
        lowest = max(lowest, facts.price)
    prices = tuple(price for price in grid_of(facts.currency).between(lowest, highest) if price != facts.price)
    if prices:
        return prices
    return Violation("no_room", {"low_price": lowest, "high_price": highest, "floor_price": floor})


def may_cut(facts: PriceFacts, rules: PriceRules) -> bool:
    """Cutting the price of goods that run out sells them too cheaply; of unknown stock, nobody knows."""
    cover = facts.cover_days
    return cover is not None and (cover >= rules.short_cover_days or bool(facts.inbound))


def holding_per_unit(facts: PriceFacts, rules: PriceRules, costs: UnitCosts) -> Decimal:
    """What a unit sold now saves in keeping stock; nothing where the stock is unknown."""
    days = min(facts.cover_days or Decimal(0), Decimal(rules.holding_cap_days)) / 2
    return costs.goods * rules.holding_rate_per_day * days


@dataclass(frozen=True)
class _Case:
    facts: PriceFacts
    rules: PriceRules
    costs: UnitCosts
    holding: Decimal
    prior: Prior


@dataclass(frozen=True)
class _Best:
    price: Decimal
    score: float


def _best_of(prices: tuple[Decimal, ...], case: _Case) -> _Best | None:
    """The price of the highest score, None when no price is worth a change."""
    weights = case.prior.weights()
    profits = _gains(prices, case, Decimal(0))
    scores = _gains(prices, case, case.holding) @ weights
    cuts = np.array([price < case.facts.price for price in prices])
    sure = (profits > 0) @ weights >= float(case.rules.cut_probability)
    scores = np.where((profits @ weights > 0) & (~cuts | sure), scores, -np.inf)
    best = int(np.argmax(scores))
    now = float(case.costs.profit(case.facts.price) + case.holding)
    needed = float(case.rules.min_gain_rate) * abs(now)
    return _Best(prices[best], float(scores[best])) if scores[best] > 0 and scores[best] >= needed else None


def _gains(prices: tuple[Decimal, ...], case: _Case, holding: Decimal) -> Floats:
    """Profit gained per unit sold now: one row per price, one column per elasticity."""
    current, costs = case.facts.price, case.costs
    ratios = np.array([float(price / current) for price in prices])[:, None] ** ELASTICITIES
    after = np.array([float(costs.profit(price) + holding) for price in prices])[:, None]
    gains: Floats = ratios * after - float(costs.profit(current) + holding)
    return gains


def _outlook(best: _Best, case: _Case, floor: Decimal, prior_experiments: int) -> Choice:
    facts, costs, prior = case.facts, case.costs, case.prior
    units = cast(Decimal, facts.units_per_day)  # `why_not_now` has seen to it
    question = price_question(change_economics(costs, price_from=facts.price, price_to=best.price), prior=prior)
    expected = forecast(question, daily_units=float(units))
    units_then = _decimal(float(units) * float(question.ratios @ question.prior), TENTH_OF_PERMILLE)
    return Choice(
        price=best.price,
        current_price=facts.price,
        floor_price=floor,
        units_now=units,
        units_then=units_then,
        revenue_now=(units * facts.price).quantize(CENT),
        revenue_then=(units_then * best.price).quantize(CENT),
        profit_now=(units * costs.profit(facts.price)).quantize(CENT),
        difference=cast(Money, expected.money),  # the costs are known here, so the money is
        probability_better=_decimal(expected.effect.probability, TENTH_OF_PERMILLE),
        score_gain=_decimal(float(units) * best.score, CENT),
        holding_per_unit=case.holding.quantize(CENT),
        prior_mean=_decimal(prior.mean, TENTH_OF_PERMILLE),
        prior_sd=_decimal(prior.sd, TENTH_OF_PERMILLE),
        prior_experiments=prior_experiments,
        left_out=costs.left_out,
    )


def _not_worthwhile(rules: PriceRules) -> Violation:
    return Violation("gain_too_small", {"min_gain_rate": rules.min_gain_rate})


def _decimal(value: float, step: Decimal) -> Decimal:
    return Decimal(str(value)).quantize(step)
