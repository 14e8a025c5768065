"""The rules that no price passes, whoever or whatever proposed it.

Each guardrail is a pure function from a `SendContext` and a price to what it found: a `Violation`, or `Passed` with the
figures that were looked at. `findings` runs them all: when a price is proposed, when it is approved, and again with
fresh figures right before it is sent.

A price that brings back what stood before our own change (`SendContext.restores`) is the seller's: it need not lie
on the grid, within the step or the bounds, may end a running experiment, takes no new control away, may use the reserve
of the quota, and must only cover its costs rather than earn the minimum margin. Every other rule holds for it too, what
the seller has said of this one product before all: it is their newer word.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from apps.pricing.economics import floor_price, unit_costs
from apps.pricing.grid import grid_of
from apps.pricing.promotions import not_frozen
from apps.pricing.records import Figure, OwnRules, Passed, PriceFacts, PriceRules, SendContext, Violation

UNIT_FACTOR = 10

# What OZON asks of old_price - price: more than 20 RUB below 400 RUB, more than 5 % up to 10 000 RUB, more than 500 RUB
# above. It does not say of which price the 5 % are: of the old one is the stricter reading.
LOW_PRICE, LOW_GAP = Decimal(400), Decimal(20)
HIGH_PRICE, HIGH_GAP = Decimal(10_000), Decimal(500)
MIDDLE_GAP_RATE = Decimal("0.05")
TOO_MUCH_DISCOUNT_RATE = Decimal("0.90")
RESET = Decimal(0)

RESTORES = Passed("restores", {})
"""What the guardrails say that do not hold for a price which is brought back."""

Range = tuple[Decimal, Decimal]
Finding = Violation | Passed
Guardrail = Callable[[SendContext, Decimal], Finding]


def step_range(price: Decimal, rules: PriceRules) -> Range:
    """The prices one step may reach from `price`, both ends inclusive."""
    return price * (1 - rules.max_step_rate), price * (1 + rules.max_step_rate)


def bound_range(facts: PriceFacts, price: Decimal, rules: PriceRules) -> Range:
    """The prices around the base price. A price that already stands outside may stay or come back, never go further."""
    low = facts.base_price * (1 - rules.bound_below_rate)
    high = facts.base_price * (1 + rules.bound_above_rate)
    return min(low, price), max(high, price)


def own_range(own: OwnRules) -> Range:
    """The prices that the seller allows this product, both ends inclusive."""
    return own.min_price or Decimal(0), own.max_price or Decimal("Infinity")


def controls_needed(total: int, rules: PriceRules) -> int:
    """How many of `total` SKUs must stay untouched."""
    return max(rules.min_controls, int((rules.control_share * total).to_integral_value(rounding=ROUND_CEILING)))


def old_price_for(price: Decimal, current_old_price: Decimal | None, currency: str = "RUB") -> Decimal:
    """The crossed-out price to send with `price`: the current one where the API accepts it, otherwise 0, which
    resets it."""
    if not current_old_price or _old_price_fault(price, current_old_price, currency):
        return RESET
    return current_old_price


def not_stopped(context: SendContext, price: Decimal) -> Finding:
    if context.all_stopped:
        return Violation("all_stopped", {})
    return Violation("shop_stopped", {}) if context.shop_stopped else Passed("not_stopped", {})


def repricing_on(context: SendContext, price: Decimal) -> Finding:
    """The switch of this product alone, which holds for the way back too."""
    if context.facts.own.is_repriced:
        return Passed("repricing_on", {})
    return Violation("repricing_off", {"sku": context.facts.sku})


def above_zero(context: SendContext, price: Decimal) -> Finding:
    return Violation("price_not_positive", {"price": price}) if price <= 0 else Passed("above_zero", {"price": price})


def same_currency(context: SendContext, price: Decimal) -> Finding:
    ours, theirs = context.facts.currency, context.live.currency
    if ours != theirs:
        return Violation("currency_mismatch", {"ours": ours, "theirs": theirs})
    return Passed("same_currency", {"currency": ours})


def same_unit(context: SendContext, price: Decimal) -> Finding:
    """Ten times the last known price or a tenth of it is a change of unit (kopecks, thousands), not of price."""
    for last in (context.live.price, context.facts.price):
        if price >= UNIT_FACTOR * last or UNIT_FACTOR * price <= last:
            return Violation("unit_mismatch", {"price": price, "last_price": last})
    return Passed("same_unit", {"price": price, "last_price": context.live.price})


def fresh_data(context: SendContext, price: Decimal) -> Finding:
    age, limit = context.facts.age_at(context.now), context.rules.max_age
    figures: dict[str, Figure] = {
        "age_hours": int(age.total_seconds() // 3600),
        "limit_hours": int(limit.total_seconds() // 3600),
    }
    return Violation("stale_data", figures) if age > limit else Passed("fresh_data", figures)


def unmoved(context: SendContext, price: Decimal) -> Finding:
    expected, live = context.expected_old, context.live.price
    if live != expected:
        return Violation("price_moved", {"expected_price": expected, "live_price": live})
    return Passed("unmoved", {"live_price": live})


def at_least_the_floor(context: SendContext, price: Decimal) -> Finding:
    """Also refuses when the floor cannot be known."""
    costs = unit_costs(context.facts, context.rules)
    if isinstance(costs, Violation):
        return costs
    margin = Decimal(0) if _restores(context, price) else context.rules.min_margin_of(context.facts)
    floor = floor_price(costs, min_margin_rate=margin, currency=context.facts.currency)
    if isinstance(floor, Violation):
        return floor
    figures: dict[str, Figure] = {"price": price, "floor_price": floor}
    if context.facts.own.min_margin_rate is None or _restores(context, price):
        return Violation("below_floor", figures) if price < floor else Passed("at_least_the_floor", figures)
    figures["min_margin_rate"] = margin
    return Violation("below_own_floor", figures) if price < floor else Passed("at_least_own_floor", figures)


def at_least_the_minimum(context: SendContext, price: Decimal) -> Finding:
    """The seller's own minimum at the marketplace, below which it would refuse the price."""
    minimum = context.live.min_price
    if minimum is None:
        return Passed("no_minimum", {})
    figures: dict[str, Figure] = {"price": price, "min_price": minimum}
    return Violation("below_min_price", figures) if price < minimum else Passed("at_least_the_minimum", figures)


def at_least_own_minimum(context: SendContext, price: Decimal) -> Finding:
    """The lowest price that the seller has set here for this product."""
    lowest = context.facts.own.min_price
    if lowest is None:
        return Passed("no_own_minimum", {})
    figures: dict[str, Figure] = {"price": price, "lowest_price": lowest}
    return Violation("below_own_minimum", figures) if price < lowest else Passed("at_least_own_minimum", figures)


def at_most_own_maximum(context: SendContext, price: Decimal) -> Finding:
    """The highest price that the seller has set here for this product."""
    highest = context.facts.own.max_price
    if highest is None:
        return Passed("no_own_maximum", {})
    figures: dict[str, Figure] = {"price": price, "highest_price": highest}
    return Violation("above_own_maximum", figures) if price > highest else Passed("at_most_own_maximum", figures)


def within_step(context: SendContext, price: Decimal) -> Finding:
    if _restores(context, price):
        return RESTORES
    return _within("within_step", "step_too_large", price, step_range(context.expected_old, context.rules))


def within_bounds(context: SendContext, price: Decimal) -> Finding:
    if _restores(context, price):
        return RESTORES
    allowed = bound_range(context.facts, context.expected_old, context.rules)
    return _within("within_bounds", "out_of_bounds", price, allowed)


def on_grid(context: SendContext, price: Decimal) -> Finding:
    if _restores(context, price):
        return RESTORES
    grid = grid_of(context.facts.currency)
    if grid.holds(price):
        return Passed("on_grid", {"price": price})
    return Violation("off_grid", {"price": price, "nearest_price": grid.nearest(max(price, grid.smallest))})


def old_price_accepted(context: SendContext, price: Decimal) -> Finding:
    if context.old_price == RESET:
        return Passed("no_old_price", {})
    fault = _old_price_fault(price, context.old_price, context.facts.currency)
    return fault or Passed("old_price_accepted", {"price": price, "old_price": context.old_price})


def quota_left(context: SendContext, price: Decimal) -> Finding:
    """What the marketplace takes of a product in an hour. Not one of `GUARDRAILS`: a command waits for its turn."""
    rules = context.rules
    allowed = rules.quota_per_hour - (0 if _restores(context, price) else rules.quota_reserve)
    figures: dict[str, Figure] = {"updates": context.updates_last_hour, "allowed": allowed}
    return Passed("quota_left", figures) if context.updates_last_hour < allowed else Violation("quota_used", figures)


def one_experiment(context: SendContext, price: Decimal) -> Finding:
    if _restores(context, price):
        return RESTORES
    figures: dict[str, Figure] = {"sku": context.facts.sku}
    running = context.has_live_experiment
    return Violation("experiment_running", figures) if running else Passed("one_experiment", figures)


def enough_controls(context: SendContext, price: Decimal) -> Finding:
    if _restores(context, price):
        return RESTORES
    left = context.skus_total - context.treated_others - 1
    needed = controls_needed(context.skus_total, context.rules)
    figures: dict[str, Figure] = {"left": left, "needed": needed, "total": context.skus_total}
    return Passed("enough_controls", figures) if left >= needed else Violation("too_few_controls", figures)


GUARDRAILS: tuple[Guardrail, ...] = (
    not_stopped,
    repricing_on,
    above_zero,
    same_currency,
    same_unit,
    fresh_data,
    unmoved,
    at_least_the_floor,
    at_least_the_minimum,
    at_least_own_minimum,
    at_most_own_maximum,
    not_frozen,
    within_step,
    within_bounds,
    on_grid,
    old_price_accepted,
    one_experiment,
    enough_controls,
)


def findings(context: SendContext, price: Decimal) -> tuple[Finding, ...]:
    """What each guardrail says of `price`, in the order of `GUARDRAILS`."""
    return tuple(guardrail(context, price) for guardrail in GUARDRAILS)


def violations(context: SendContext, price: Decimal) -> tuple[Violation, ...]:
    """What forbids `price`, in the same order; empty when it may be sent."""
    return tuple(found for found in findings(context, price) if isinstance(found, Violation))


def _restores(context: SendContext, price: Decimal) -> bool:
    return context.restores is not None and price == context.restores


def _within(inside: str, outside: str, price: Decimal, allowed: Range) -> Finding:
    low, high = allowed
    figures: dict[str, Figure] = {"price": price, "low_price": low, "high_price": high}
    return Passed(inside, figures) if low <= price <= high else Violation(outside, figures)


def _old_price_fault(price: Decimal, old_price: Decimal, currency: str) -> Violation | None:
    gap = old_price - price
    if gap <= 0:
        return Violation("old_price_not_above", {"price": price, "old_price": old_price})
    limit = TOO_MUCH_DISCOUNT_RATE
    if gap >= limit * old_price:
        return Violation("discount_too_big", {"price": price, "old_price": old_price, "limit_rate": limit})
    needed = _gap_needed(price, old_price, currency)
    if gap <= needed:
        return Violation("old_price_gap_too_small", {"gap_money": gap, "needed_money": needed})
    return None


def _gap_needed(price: Decimal, old_price: Decimal, currency: str) -> Decimal:
    """The gap that old_price - price must exceed. The amounts are stated in roubles only: elsewhere the share holds."""
    if currency == "RUB" and price < LOW_PRICE:
        return LOW_GAP
    if currency == "RUB" and price > HIGH_PRICE:
        return HIGH_GAP
    return MIDDLE_GAP_RATE * old_price
