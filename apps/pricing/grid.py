"""The prices a shop puts on its shelf.

A sellable price has at most three significant digits and no part smaller than what the currency's price tags show:
499, 1 490, 12 900 roubles, never 1 448.37. The step is so between 0.1 % and 1 % of the price at every magnitude, which
makes one rule right for roubles, hryvnias and tenge alike; below a hundred units of the currency its smallest step
is coarser. The ends of each magnitude (100, 1 000, ...) lie on the grid of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

SIGNIFICANT_DIGITS = 3

# The smallest part that price tags show. Currencies with a dear unit show hundredths.
WHOLE_UNIT = frozenset({"RUB", "UAH", "KZT", "KGS", "AMD", "UZS"})
HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class PriceGrid:
    """The sellable prices of one currency; `smallest` is its smallest step and its smallest price."""

    smallest: Decimal

    def step_at(self, price: Decimal) -> Decimal:
        """The distance between grid prices in the magnitude of `price`. ValueError unless `price` > 0."""
        if price <= 0:
            raise ValueError(f"price must be above zero, got {price}")
        return max(self.smallest, Decimal(1).scaleb(price.adjusted() - SIGNIFICANT_DIGITS + 1))

    def holds(self, price: Decimal) -> bool:
        """Whether `price` is a grid price."""
        return price >= self.smallest and price % self.step_at(price) == 0

    def ceil(self, price: Decimal) -> Decimal:
        """The lowest grid price at or above `price`."""
        return self._rounded(price, ROUND_CEILING)

    def floor(self, price: Decimal) -> Decimal:
        """The highest grid price at or below `price`; the smallest grid price where there is none."""
        return self._rounded(price, ROUND_FLOOR)

    def nearest(self, price: Decimal) -> Decimal:
        """The closest grid price, the dearer of two equally close; the smallest grid price for anything below it."""
        return self._rounded(price, ROUND_HALF_UP)

    def between(self, low: Decimal, high: Decimal) -> tuple[Decimal, ...]:
        """All grid prices in [`low`, `high`], ascending; none when the range holds none. `high` must be finite."""
        prices = []
        price = self.ceil(max(low, self.smallest))
        while price <= high:
            prices.append(price)
            price += self.step_at(price)
        return tuple(prices)

    def _rounded(self, price: Decimal, rounding: str) -> Decimal:
        step = self.step_at(price)
        steps = (price / step).to_integral_value(rounding=rounding)
        # to_integral_value leaves no exponent behind; the product may (1E+3), which people and APIs read badly.
        return _plain(max(steps * step, self.smallest))


def grid_of(currency: str) -> PriceGrid:
    """The grid of a currency (ISO code)."""
    return PriceGrid(Decimal(1) if currency in WHOLE_UNIT else HUNDREDTH)


def _plain(price: Decimal) -> Decimal:
    """The same number without a positive exponent or trailing zeros after the point."""
    return price.quantize(Decimal(1)) if price == price.to_integral_value() else price.normalize()
