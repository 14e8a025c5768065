"""What a trader would say about a price, with the figures that say it.

Reasons explain; the price comes from the expected profit. Where the two disagree, a reason says so.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import sqrt

from apps.experiments.verdicts import Outcome
from apps.pricing.economics import floor_price, unit_costs
from apps.pricing.grid import grid_of
from apps.pricing.guardrails import own_range
from apps.pricing.records import Choice, Direction, Figure, PriceFacts, PriceRules, Reason, Violation

# Sales that mean something: 90 % two-sided under counts spread a fifth more than Poisson's, on a handful of days
# with goods on either side, and a change a trader would act on.
TREND_Z, TREND_SPREAD = 1.645, 1.2
TREND_MIN_UNITS, TREND_MIN_DAYS, TREND_MIN_CHANGE = 10, 5, 0.15

NO_SALES_DAYS = 30
NEAR_FLOOR_RATE = Decimal("0.05")

Sign = Callable[[PriceFacts, PriceRules], Reason | None]


def stock(facts: PriceFacts, rules: PriceRules) -> Reason | None:
    """Goods that run out, or lie too long.

    With more on the way running out is no reason to ask more. Where nobody knows what is on the way, it is said.
    """
    cover = facts.cover_days
    if cover is None or facts.stock is None:
        return None
    figures: dict[str, Figure] = {"cover_days": cover, "stock": facts.stock}
    if cover > rules.long_cover_days:
        return Reason("stock_long", Direction.DOWN, figures)
    if cover >= rules.short_cover_days:
        return None
    if facts.inbound:
        return Reason("stock_short_inbound", Direction.NONE, {**figures, "inbound": facts.inbound})
    return Reason("stock_short" if facts.inbound == 0 else "stock_short_unknown", Direction.UP, figures)


def trend(facts: PriceFacts, rules: PriceRules) -> Reason | None:
    """The last seven days against the seven before, per day in stock.

    Given the sum n, the last week's units are binomial with the share p of its days (the conditional test of two
    Poisson means, Przyborowski & Wilenski 1940), here with a wider spread.
    """
    last, before = facts.units_last_7, facts.units_previous_7
    days, days_before = facts.in_stock_days_last_7, facts.in_stock_days_previous_7
    if last + before < TREND_MIN_UNITS or min(days, days_before) < TREND_MIN_DAYS:
        return None
    share = days / (days + days_before)
    excess = last - (last + before) * share
    sd = sqrt(TREND_SPREAD * (last + before) * share * (1 - share))
    change = abs(last * days_before - before * days)
    if abs(excess) < TREND_Z * sd or change < TREND_MIN_CHANGE * before * days:
        return None
    figures: dict[str, Figure] = {
        "units": last,
        "stock_days": days,
        "units_before": before,
        "stock_days_before": days_before,
    }
    return Reason("trend_up", Direction.UP, figures) if excess > 0 else Reason("trend_down", Direction.DOWN, figures)


def no_sales(facts: PriceFacts, rules: PriceRules) -> Reason | None:
    days = facts.days_observed if facts.days_since_sale is None else facts.days_since_sale
    if not facts.stock or days < NO_SALES_DAYS:
        return None
    return Reason("no_sales", Direction.DOWN, {"quiet_days": days, "stock": facts.stock})


def margin(facts: PriceFacts, rules: PriceRules) -> Reason | None:
    """The margin below the minimum, or the price within reach of the floor."""
    costs = unit_costs(facts, rules)
    if isinstance(costs, Violation) or facts.price <= 0:
        return None
    rate, least = costs.margin_rate(facts.price), rules.min_margin_of(facts)
    if rate < least:
        return Reason("margin_below_min", Direction.UP, {"margin_rate": rate, "min_margin_rate": least})
    floor = floor_price(costs, min_margin_rate=least, currency=facts.currency)
    if isinstance(floor, Violation) or facts.price >= floor * (1 + NEAR_FLOOR_RATE):
        return None
    return Reason("near_floor", Direction.NONE, {"price": facts.price, "floor_price": floor})


def history(facts: PriceFacts, rules: PriceRules) -> Reason | None:
    """The previous change and what came of it: do more of what earned, go back from what lost."""
    past = facts.last_change
    if past is None:
        return None
    figures: dict[str, Figure] = {
        "old_price": past.old_price,
        "new_price": past.new_price,
        "changed_on": past.changed_on.isoformat(),
    }
    if past.profit_per_day is not None:
        figures["profit_gain"] = past.profit_per_day
    raised = past.new_price > past.old_price
    if past.verdict == Outcome.SUCCESS:
        return Reason("change_succeeded", Direction.UP if raised else Direction.DOWN, figures)
    if past.verdict == Outcome.FAILED:
        return Reason("change_failed", Direction.DOWN if raised else Direction.UP, figures)
    return Reason("change_unmeasured" if past.verdict is None else "change_unclear", Direction.NONE, figures)


SIGNS: tuple[Sign, ...] = (margin, stock, trend, no_sales, history)

AGAINST = {
    "stock_short": "profit_against_stock",
    "stock_short_unknown": "profit_against_stock",
    "stock_long": "profit_against_stock",
    "trend_up": "profit_against_trend",
    "trend_down": "profit_against_trend",
    "no_sales": "profit_against_trend",
    "change_succeeded": "profit_against_history",
    "change_failed": "profit_against_history",
}
"""What to say when the expected profit points the other way than a sign. (Below the minimum margin no price is cut.)"""


def signs(facts: PriceFacts, rules: PriceRules) -> tuple[Reason, ...]:
    """What speaks for a change of the price, whether or not one is proposed."""
    found = (sign(facts, rules) for sign in SIGNS)
    return tuple(reason for reason in found if reason is not None)


def reasons(facts: PriceFacts, rules: PriceRules, choice: Choice) -> tuple[Reason, ...]:
    """Why this price: the expected profit first, then the signs, then where they disagree and what is not known."""
    seen = signs(facts, rules)
    bound = _own_bound(facts, choice)
    return (_profit(choice), *_holding(choice), *seen, *bound, *_disagreements(seen, choice), *_left_out(choice))


def _profit(choice: Choice) -> Reason:
    difference = choice.difference
    figures: dict[str, Figure] = {
        "profit_gain": difference.expected,
        "low_gain": difference.low,
        "high_gain": difference.high,
        "probability_rate": choice.probability_better,
    }
    if choice.prior_experiments:
        return Reason("profit_learned", choice.direction, {**figures, "experiments": choice.prior_experiments})
    return Reason("profit_typical", choice.direction, figures)


def _holding(choice: Choice) -> tuple[Reason, ...]:
    """Keeping stock costs money, which speaks for selling sooner."""
    if choice.direction is Direction.UP or choice.holding_per_unit <= 0:
        return ()
    return (Reason("holding_saved", Direction.DOWN, {"holding_price": choice.holding_per_unit}),)


def _own_bound(facts: PriceFacts, choice: Choice) -> tuple[Reason, ...]:
    """The seller's own bound, where the next price of the grid would lie beyond it."""
    low, high = own_range(facts.own)
    step = grid_of(facts.currency).step_at(choice.price)
    if choice.direction is Direction.UP and choice.price + step > high:
        return (Reason("own_maximum_held", Direction.NONE, {"highest_price": high}),)
    if choice.direction is Direction.DOWN and choice.price - step < low:
        return (Reason("own_minimum_held", Direction.NONE, {"lowest_price": low}),)
    return ()


def _disagreements(seen: tuple[Reason, ...], choice: Choice) -> tuple[Reason, ...]:
    opposed = (reason.code for reason in seen if reason.direction not in {Direction.NONE, choice.direction})
    codes = dict.fromkeys(AGAINST[code] for code in opposed if code in AGAINST)
    gain, probability = choice.difference.expected, choice.probability_better
    figures: dict[str, Figure] = {"profit_gain": gain, "probability_rate": probability}
    return tuple(Reason(code, choice.direction, figures) for code in codes)


def _left_out(choice: Choice) -> tuple[Reason, ...]:
    if not choice.left_out:
        return ()
    return (Reason("costs_left_out", Direction.NONE, {"terms": ", ".join(choice.left_out)}),)
