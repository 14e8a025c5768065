"""What has moved under a price since it was proposed, far enough to decide anew.

Each move is a pure function from the facts of then and now to a `Violation`, or None. Sales are not among them: they
move every day, and the range of the expected profit speaks for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from apps.pricing.economics import floor_price, unit_costs
from apps.pricing.records import PriceFacts, PriceRules, Violation


@dataclass(frozen=True, kw_only=True)
class Then:
    """A proposed `price` and the facts it came from, and the facts of now. `moved_rate` is how far the floor, or the
    profit of a unit, may move (0.05: by a twentieth)."""

    price: Decimal
    before: PriceFacts
    after: PriceFacts
    rules: PriceRules
    moved_rate: Decimal


Move = Callable[[Then], Violation | None]


def price(then: Then) -> Violation | None:
    expected, now = then.before.price, then.after.price
    return None if now == expected else Violation("price_moved", {"expected_price": expected, "live_price": now})


def stock(then: Then) -> Violation | None:
    """Goods that have run out, or that nobody can count any more."""
    if then.before.stock == then.after.stock:
        return None
    if then.after.stock is None:
        return Violation("stock_lost", {"stock": then.before.stock or 0})
    return Violation("stock_gone", {"sku": then.after.sku}) if then.after.stock == 0 else None


def cover(then: Then) -> Violation | None:
    """The stock lasts so much longer or shorter that another reason holds."""
    before, after = then.before.cover_days, then.after.cover_days
    if before is None or after is None or _shelf(before, then.rules) == _shelf(after, then.rules):
        return None
    return Violation("cover_moved", {"before_days": before, "cover_days": after})


def costs(then: Then) -> Violation | None:
    """Cost, fees and shares, by what they do to the floor and to the profit of a unit at the proposed price."""
    before, after = unit_costs(then.before, then.rules), unit_costs(then.after, then.rules)
    if isinstance(before, Violation):
        return None
    if isinstance(after, Violation):
        return after
    margin, currency = then.rules.min_margin_of(then.after), then.after.currency
    old_floor, floor = (floor_price(one, min_margin_rate=margin, currency=currency) for one in (before, after))
    if isinstance(old_floor, Violation):
        return None
    if isinstance(floor, Violation):
        return floor
    old_profit, profit = before.profit(then.price), after.profit(then.price)
    if not (_far(old_floor, floor, then.moved_rate) or _far(old_profit, profit, then.moved_rate)):
        return None
    return Violation(
        "costs_moved",
        {"old_floor_price": old_floor, "floor_price": floor, "old_unit_gain": old_profit, "unit_gain": profit},
    )


MOVES: tuple[Move, ...] = (price, stock, cover, costs)


def first_move(then: Then) -> Violation | None:
    """The first of `MOVES` that was made, or None."""
    return next((violation for move in MOVES if (violation := move(then)) is not None), None)


def _shelf(cover_days: Decimal, rules: PriceRules) -> str:
    if cover_days < rules.short_cover_days:
        return "short"
    return "long" if cover_days > rules.long_cover_days else "enough"


def _far(before: Decimal, after: Decimal, rate: Decimal) -> bool:
    return abs(after - before) > rate * abs(before)
