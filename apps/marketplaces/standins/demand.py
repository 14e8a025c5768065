"""Demand of a shop whose truth is known: what would sell, at which price, on which day.

Log demand of a SKU on a day is a sum: its base rate (Zipf), its price against the market price times its constant
elasticity, weekday profiles of the shop and of the SKU, an AR(1) of the shop and of its category, promotions, the
season of the category, a trend and a walk of the SKU, and the moves of competitors. Units are negative binomial.

Everything is a function of (seed, day): random numbers come from Philox streams keyed by seed, purpose and day (or
block of days), never from a running generator, so neither the order of calls nor the prices asked for change a draw.
The same day keeps the same quantile at every price (common random numbers): a dearer price never sells more that day.

Days are whole numbers; day 0 is a Monday, days before it are history (down to `FIRST_DAY`).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST_DAY = -400
CATEGORIES = 12
COMMISSION = 0.20
BLOCK = 64  # days whose innovations come from one stream
PROMO_EVERY, COMPETITOR_EVERY, COMPETITOR_CUT = 25, 60, 120  # days
YEAR = 365.25


@dataclass(frozen=True)
class Kind:
    """One family of shops: elasticities, and how prices stand to costs (margins are unit profit / price)."""

    elasticity: tuple[float, float]  # mean, standard deviation
    margin: tuple[float, float]  # uniform bounds, for SKUs not priced around their optimum
    near_optimum: float  # share of SKUs priced around their own optimum
    spread: float  # standard deviation of log(price / optimal price) of those


KINDS = {
    "main": Kind((-1.8, 0.8), (0.20, 0.65), 0.5, 0.25),
    "indep": Kind((-1.8, 0.8), (0.20, 0.65), 0.0, 0.0),
    "opt": Kind((-1.8, 0.8), (0.20, 0.65), 1.0, 0.08),
    "low": Kind((-1.8, 0.8), (0.10, 0.45), 0.0, 0.0),
    "lit": Kind((-2.6, 1.0), (0.12, 0.50), 0.0, 0.0),
}
PURPOSES = (
    *("shop", "margin", "innovation", "promo", "competitor", "units", "stock", "catalog", "postings"),
    "promotions",
)


@dataclass(frozen=True)
class Promo:
    """A promotion of the whole shop: it raises log demand by `height` times the SKU's sensitivity."""

    first_day: int
    last_day: int
    height: float


class Demand:
    """The demand of `skus` products. Arrays have one entry per SKU; money is in roubles."""

    rate: Floats  # expected units a day at the market price with no shock
    elasticity: Floats  # of demand to price
    price0: Floats  # the market price, where the shop starts
    cost: Floats  # purchase price
    commission: Floats  # share of the price
    logistics: Floats  # per unit, acquiring included
    acquiring: Floats  # per unit, the part of the logistics that it is
    category: Ints  # 0..CATEGORIES-1
    k: Floats  # size of the negative binomial
    _paths: Floats  # shape (days since FIRST_DAY, 1 + CATEGORIES + skus)

    def __init__(self, seed: int, skus: int = 300, kind: str = "main") -> None:
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        if skus < 1 or seed < 0:
            raise ValueError(f"seed must be 0 or more and skus 1 or more, not {seed} and {skus}")
        self.seed, self.skus, self.kind = seed, skus, kind
        self._draw_products(self.stream("shop"))
        self._draw_prices(self.stream("margin"), KINDS[kind])
        self._paths = np.empty((0, 1 + CATEGORIES + skus))
        self._promo = lru_cache(maxsize=64)(self._draw_promo)
        self._rivals = lru_cache(maxsize=8)(self._draw_rivals)

    def stream(self, purpose: str, index: int = 0) -> np.random.Generator:
        """An independent stream of random numbers for a purpose and a day (or block of days)."""
        return np.random.Generator(np.random.Philox(key=[self.seed, PURPOSES.index(purpose) << 33 | index + (1 << 31)]))

    def expected(self, day: int, prices: Floats) -> Floats:
        """Mean units of every SKU on `day` at `prices`, with all shocks of that day, stock permitting."""
        return self.rate * np.exp(self.shock(day) + self.elasticity * np.log(prices / self.price0))

    def draw(self, day: int, prices: Floats, stock: Ints) -> Ints:
        """Units sold of every SKU on `day`: demand at `prices`, cut at `stock`."""
        numbers = self.stream("units", day)
        quantile = numbers.random(self.skus)
        rate = self.expected(day, prices) * numbers.gamma(self.k) / self.k
        return np.minimum(poisson_quantile(quantile, rate), stock)

    def shock(self, day: int) -> Floats:
        """Sum of everything but the price that moves log demand of every SKU on `day`."""
        path = self._path(day)
        weekday = self._shop_weekday[day % 7] + self._sku_weekday[day % 7]
        season = self._season * np.sin(2 * math.pi * (day / YEAR + self._season_phase))
        category = season + path[1 : 1 + CATEGORIES]
        trend = self._trend * 180 * math.tanh(day / 180)  # flattens: a lasting trend would run away within years
        promo = self._sensitivity * sum(promo.height for promo in self.promos(day, day))
        own = path[1 + CATEGORIES :] + trend + self._rival(day)
        total: Floats = weekday + path[0] + category[self.category] + promo + own
        return total

    def promos(self, first_day: int, last_day: int) -> list[Promo]:
        """Promotions that run on any day from first_day to last_day, in order."""
        slots = range(first_day // PROMO_EVERY - 1, last_day // PROMO_EVERY + 1)
        return [p for p in map(self._promo, slots) if p.first_day <= last_day and p.last_day >= first_day]

    def unit_profit(self, sku: int, price: float) -> float:
        """Roubles earned on one unit: price less commission, cost and logistics (acquiring included)."""
        return float(price * (1 - self.commission[sku]) - self.cost[sku] - self.logistics[sku])

    def true_effect(self, sku: int, price_from: float, price_to: float) -> float:
        """Relative change of profit per day by the true elasticity: 0.12 is 12 % more. Needs a profit to start from."""
        before = self.unit_profit(sku, price_from)
        if before <= 0:
            raise ValueError(f"SKU {sku} earns nothing at {price_from}: a relative effect has no meaning")
        demand: float = (price_to / price_from) ** float(self.elasticity[sku])
        return demand * self.unit_profit(sku, price_to) / before - 1

    def _draw_products(self, numbers: np.random.Generator) -> None:
        rank = numbers.permutation(self.skus) + 1
        jitter = np.exp(numbers.normal(0, 0.2, self.skus))
        self.rate = np.clip(48 * rank**-0.85 * jitter, 0.05, 60)
        self.category = numbers.integers(0, CATEGORIES, self.skus)
        self.k = np.exp(numbers.normal(math.log(6), 0.5, self.skus))
        self._trend = numbers.normal(0, 0.003, self.skus)
        self._sensitivity = numbers.normal(1, 0.4, self.skus)
        self._shop_weekday = _centred(numbers.normal(0, 0.12, (7, 1)))
        self._sku_weekday = _centred(numbers.normal(0, 0.06, (7, self.skus)))
        self._season = np.abs(numbers.normal(0.15, 0.03, CATEGORIES))
        self._season_phase = numbers.random(CATEGORIES)

    def _draw_prices(self, numbers: np.random.Generator, kind: Kind) -> None:
        self.elasticity = np.clip(numbers.normal(*kind.elasticity, self.skus), -6, -0.1)
        level = np.exp(numbers.normal(math.log(1200), 0.6, self.skus))
        self.price0 = np.round(np.clip(level, 250, 12_000), -1)
        self.commission = np.full(self.skus, COMMISSION)
        drawn = numbers.uniform(*kind.margin, self.skus)
        # The optimum of constant elasticity e has unit costs (1 - commission)(1 + 1/e) of the price (Lerner 1934);
        # less elastic than -1.25 there is none worth naming.
        costs = (1 - COMMISSION) * (1 + 1 / np.minimum(self.elasticity, -1.25))
        optimal = 1 - COMMISSION - costs * np.exp(-numbers.normal(0, kind.spread, self.skus))
        margin = np.where(numbers.random(self.skus) < kind.near_optimum, optimal, drawn)
        unit_costs = self.price0 * (1 - COMMISSION - np.clip(margin, 0.08, 0.70))
        self.acquiring = np.round(0.015 * self.price0, 2)
        delivery = np.minimum(numbers.uniform(45, 95, self.skus), 0.3 * unit_costs)
        self.logistics = np.round(delivery, 2) + self.acquiring
        self.cost = np.round(unit_costs - self.logistics, 2)

    def _path(self, day: int) -> Floats:
        """AR(1) of the shop, of each category and walk of each SKU on `day`, grown block by block from FIRST_DAY."""
        if day < FIRST_DAY:
            raise ValueError(f"day must be {FIRST_DAY} or later, not {day}")
        while len(self._paths) <= day - FIRST_DAY:
            self._paths = np.concatenate([self._paths, self._next_block()])
        path: Floats = self._paths[day - FIRST_DAY]
        return path

    def _next_block(self) -> Floats:
        sds = np.repeat([0.10, 0.07, 0.02], [1, CATEGORIES, self.skus])
        # A walk of 0.02 a day with a weak pull home, for a pure one would leave the shop within years.
        pull = np.repeat([0.85, 0.85, 0.995], [1, CATEGORIES, self.skus])
        innovation_sds = np.where(pull < 0.9, sds * np.sqrt(1 - pull**2), sds)
        steps = self.stream("innovation", len(self._paths) // BLOCK).normal(size=(BLOCK, len(sds)))
        if len(self._paths):
            state = self._paths[-1]
        else:
            state, steps[0] = np.zeros(len(sds)), steps[0] * sds / innovation_sds
        for row in steps:
            state = pull * state + innovation_sds * row
            row[:] = state
        return steps

    def _draw_promo(self, slot: int) -> Promo:
        numbers = self.stream("promo", slot)
        first = slot * PROMO_EVERY + int(numbers.integers(PROMO_EVERY))
        return Promo(first, first + int(numbers.integers(1, 5)), float(numbers.uniform(0.25, 0.85)))

    def _draw_rivals(self, slot: int) -> tuple[Floats, Floats, Floats]:
        """First day, end and size of the one competitor move that every SKU sees in a slot of 60 days."""
        numbers = self.stream("competitor", slot)
        first = (slot + numbers.random(self.skus)) * COMPETITOR_EVERY
        length = np.minimum(numbers.exponential(14, self.skus), COMPETITOR_CUT)
        return first, first + length, numbers.normal(0, 0.25, self.skus)

    def _rival(self, day: int) -> Floats:
        slot = day // COMPETITOR_EVERY
        moves = [self._rivals(slot - back) for back in range(1 + COMPETITOR_CUT // COMPETITOR_EVERY)]
        total: Floats = np.sum([((first <= day) & (day < end)) * size for first, end, size in moves], axis=0)
        return total


def poisson_quantile(quantile: Floats, rate: Floats) -> Ints:
    """Smallest count whose Poisson(rate) distribution function reaches `quantile`; it never falls as the rate rises."""
    counts = np.zeros(len(rate), dtype=np.int64)
    low = rate <= 8
    for group in (np.flatnonzero(low), np.flatnonzero(~low)):
        if len(group):
            counts[group] = _quantile_in_window(quantile[group, None], rate[group, None])
    return counts


def _quantile_in_window(quantile: Floats, rate: Floats) -> Ints:
    """Sum the probabilities over the window of eight standard deviations around the mean; outside is below 1e-14."""
    reach = np.ceil(8 * np.sqrt(rate)) + 12
    start = np.maximum(np.floor(rate) - reach, 0).astype(np.int64)
    counts = start + np.arange(int((np.floor(rate) + reach - start).max()) + 1)
    logs = counts * np.log(np.maximum(rate, 1e-300)) - rate - _log_factorial(int(counts.max()) + 1)[counts]
    found: Ints = start[:, 0] + (np.cumsum(np.exp(logs), axis=1) < quantile).sum(axis=1)
    return found


@lru_cache(maxsize=8)
def _log_factorials(size: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size)))])


def _log_factorial(size: int) -> Floats:
    return _log_factorials(1 << size.bit_length())


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean(axis=0)
    return centred
