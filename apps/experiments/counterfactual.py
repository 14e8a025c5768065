"""What a SKU would have sold without its change: the shop's other SKUs carried forward onto its own baseline.

Pure: plain arrays in, frozen records out. Days are columns, SKUs are rows. `t0` is the first full day of the change;
the 56 days before it are "pre", the `days` from it on are "post".

The model is a Gamma-Poisson baseline with exponential forgetting, scaled by an index of untouched SKUs (a synthetic
difference in differences): one rate per SKU (half-life 21 days), one factor per day for the shop and one for the
category. It was chosen over a seven-day baseline (which "proves" cuts after a chance fall) and over ridge and
difference-in-logs counterfactuals (four to twenty times as many false claims at these volumes).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.sales.rates import recency_weights

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

IN_STOCK, OUT_OF_STOCK, UNKNOWN_STOCK = 1, 0, -1

PRE_DAYS = 56
MIN_CONTROLS = 15
"""Fewer untouched SKUs than this say more about themselves than about the shop: no index is made of them."""
EMPTY_RUN_PROBABILITY = 0.01
CATEGORY_PSEUDO_UNITS = 20.0
BASELINE_UNITS, BASELINE_DAYS = 0.5, 1.0
RATE_UNITS, RATE_DAYS = 0.05, 0.5
INDEX_DAMPING = 0.15


@dataclass(frozen=True)
class Noise:
    """Variance of a window's units around their mean mu: phi mu (1 + mu / shape) + sig2 mu^2.

    `phi` (>= 1) is the spread of single orders, `sig2` (> 0) the drift that no before-and-after comparison removes.
    """

    phi: float = 1.2
    sig2: float = 0.05

    def __post_init__(self) -> None:
        if self.phi < 1 or self.sig2 <= 0:
            raise ValueError(f"noise needs phi >= 1 and sig2 > 0, not phi={self.phi}, sig2={self.sig2}")

    def variance(self, mean: Floats, shape: float) -> Floats:
        return self.phi * mean * (1 + mean / shape) + self.sig2 * mean**2


DEFAULT_NOISE = Noise()


@dataclass(frozen=True, eq=False)
class Panel:
    """A shop's days. `units` (SKUs x days): ordered that day less those cancelled by the review.

    `stock` (SKUs x days, int8): IN_STOCK, OUT_OF_STOCK or UNKNOWN_STOCK for the whole day (see `stock_of_days`). A day
    that a SKU spent at another price than the one compared (the day of the change itself) is OUT_OF_STOCK as well:
    both mean "says nothing". `categories` (SKUs): any integer codes. `controls` (SKUs): no price change and no
    experiment in the windows judged.
    """

    units: NDArray[np.integer]
    stock: NDArray[np.int8]
    categories: NDArray[np.integer]
    controls: Flags

    def __post_init__(self) -> None:
        if self.units.ndim != 2 or self.stock.shape != self.units.shape:
            raise ValueError(f"units and stock must both be SKUs x days: {self.units.shape} and {self.stock.shape}")
        for name in ("categories", "controls"):
            if getattr(self, name).shape != self.units.shape[:1]:
                raise ValueError(f"{name} must have one value for each of {self.units.shape[0]} SKUs")
        if (self.units < 0).any():
            raise ValueError("units must not be negative")
        if not np.isin(self.stock, (IN_STOCK, OUT_OF_STOCK, UNKNOWN_STOCK)).all():
            raise ValueError("stock must hold 1 (in stock), 0 (out of stock) or -1 (unknown)")


@dataclass(frozen=True)
class Counterfactual:
    """One SKU's window: what was observed beside what was expected without the change, both over its valid days.

    `expected` is 0 where nothing can be expected (see `measured`). `shape` is the Gamma shape of the baseline: about
    the number of orders it rests on. `inferred_days` counts days of both windows whose stock nobody recorded.
    `index_change` is the shop's move against the pre days as a fraction, None where there were too few controls.
    """

    expected: float
    observed: int
    shape: float
    days: int
    valid_days: int
    baseline_days: int
    inferred_days: int
    controls: int
    category_factor: float
    index_change: float | None

    @property
    def measured(self) -> bool:
        """Whether there is anything to compare: a baseline, valid days and a shop that sold on them."""
        return self.baseline_days > 0 and self.expected > 0


@dataclass(frozen=True, eq=False)
class Days:
    """One SKU day by day: the baseline's days first, `pre` of them, then the window's.

    units: sold; valid: whether the day counts; index: the shop's sales over its usual ones; rate: the SKU's own units a
    day; factor: its category's move in the window; shape: see `Counterfactual`.
    """

    units: Floats
    valid: Flags
    index: Floats
    pre: int
    rate: float
    factor: float
    shape: float

    @property
    def expected(self) -> Floats:
        """Units that were to be expected of each day without the change, had it been in stock."""
        expected: Floats = self.rate * self.index
        expected[self.pre :] *= self.factor
        return expected


def stock_of_days(mornings: NDArray[np.int8]) -> NDArray[np.int8]:
    """Stock of whole days (SKUs x days) from that of mornings (SKUs x days + 1): a day needs stock at both its ends."""
    start, end = mornings[:, :-1], mornings[:, 1:]
    days = np.full(start.shape, UNKNOWN_STOCK, dtype=np.int8)
    days[(start == IN_STOCK) & (end == IN_STOCK)] = IN_STOCK
    days[(start == OUT_OF_STOCK) | (end == OUT_OF_STOCK)] = OUT_OF_STOCK
    return days


class ShopWindow:
    """A shop around one `t0`: build it once, then ask it for any number of SKUs."""

    def __init__(self, panel: Panel, *, t0: int, days: int, noise: Noise = DEFAULT_NOISE) -> None:
        """`t0` is a column of the panel; fewer than 56 columns before it are used as they are."""
        if days < 1 or t0 < 0 or t0 + days > panel.units.shape[1]:
            raise ValueError(f"t0={t0} and days={days} do not fit a panel of {panel.units.shape[1]} days")
        columns = slice(max(0, t0 - PRE_DAYS), t0 + days)
        self.days = days
        self._pre = t0 - columns.start
        self._units = panel.units[:, columns].astype(np.float64)
        self._stock = panel.stock[:, columns]
        self._valid = valid_days(self._units, self._stock, pre=self._pre, noise=noise)
        self._controls = panel.controls
        self._category = np.unique(panel.categories, return_inverse=True)[1]
        self._sum_controls()

    def _sum_controls(self) -> None:
        """Sums over all controls and over each category's, so that a SKU costs days and not SKUs x days."""
        rate = baseline_rates(self._units, self._valid, pre=self._pre)
        self._weight = self._controls / (1 + INDEX_DAMPING * rate)
        self._weighted_rate = self._weight * rate
        sold, valid = self._units * self._valid, self._valid.astype(np.float64)
        self._shop_sold, self._shop_due = self._weight @ sold, self._weighted_rate @ valid
        post = slice(self._pre, None)
        member = (self._category == np.arange(self._category.max() + 1)[:, None]).astype(np.float64)
        self._category_sold = member @ (self._weight * sold[:, post].sum(axis=1))
        self._category_due = (member * self._weighted_rate) @ valid[:, post]

    def of(self, sku: int) -> Counterfactual:
        """The counterfactual of one row. A control is left out of its own index, so placebos are honest."""
        days, post = self.days_of(sku), slice(self._pre, None)
        controls = self._others(sku)
        return Counterfactual(
            expected=float(days.valid[post] @ days.expected[post]),
            observed=int(days.valid[post] @ days.units[post]),
            shape=days.shape,
            days=self.days,
            valid_days=int(days.valid[post].sum()),
            baseline_days=int(days.valid[: self._pre].sum()),
            inferred_days=int((self._stock[sku] == UNKNOWN_STOCK).sum()),
            controls=controls,
            category_factor=days.factor,
            index_change=self._index_change(days.index) if controls >= MIN_CONTROLS else None,
        )

    def days_of(self, sku: int) -> Days:
        """The days that `of` sums up."""
        units, valid = self._units[sku], self._valid[sku]
        enough = self._others(sku) >= MIN_CONTROLS
        index = self._index(sku) if enough else np.ones(len(units))
        pre = slice(None, self._pre)
        omega = recency_weights(self._pre) * valid[pre]
        shape = BASELINE_UNITS + float(omega @ units[pre])
        return Days(
            units=units,
            valid=valid,
            index=index,
            pre=self._pre,
            rate=shape / (BASELINE_DAYS + float(omega @ index[pre])),
            factor=self._category_factor(sku, index) if enough else 1.0,
            shape=shape,
        )

    def _others(self, sku: int) -> int:
        """How many controls a SKU has: itself is none."""
        return int(self._controls.sum() - self._controls[sku])

    def _index(self, sku: int) -> Floats:
        """Sales of the controls over their own rates, day by day; 1 on a day when no control was valid."""
        own_sold, own_due = self._own(sku)
        sold, due = np.maximum(self._shop_sold - own_sold, 0), self._shop_due - own_due
        return np.divide(sold, due, out=np.ones_like(due), where=due > 1e-9)

    def _category_factor(self, sku: int, index: Floats) -> float:
        category, post = self._category[sku], slice(self._pre, None)
        own_sold, own_due = self._own(sku)
        sold = self._category_sold[category] - own_sold[post].sum()
        due = (self._category_due[category] - own_due[post]) @ index[post]
        return float((sold + CATEGORY_PSEUDO_UNITS) / (due + CATEGORY_PSEUDO_UNITS))

    def _own(self, sku: int) -> tuple[Floats, Floats]:
        """What a SKU itself contributes to the sums: nothing unless it is a control."""
        valid = self._valid[sku]
        return self._weight[sku] * self._units[sku] * valid, self._weighted_rate[sku] * valid

    def _index_change(self, index: Floats) -> float | None:
        before = index[: self._pre].mean() if self._pre else 0.0
        return float(index[self._pre :].mean() / before - 1) if before > 0 else None


def baseline_rates(units: Floats, valid: Flags, *, pre: int) -> Floats:
    """Units per valid pre day of each SKU, drawn a little towards 0.1 so that no SKU has a rate of zero."""
    sold = np.einsum("ij,ij->i", units[:, :pre], valid[:, :pre])
    rates: Floats = (sold + RATE_UNITS) / (valid[:, :pre].sum(axis=1) + RATE_DAYS)
    return rates


def valid_days(units: Floats, stock: NDArray[np.int8], *, pre: int, noise: Noise) -> Flags:
    """Days that count. A day of unknown stock does, unless it belongs to a run of unknown days without a sale that
    chance explains in less than one case of a hundred at that SKU's rate: such a run was probably out of stock.

    The rate rises as runs are left out, so the rule is applied until it settles; runs only ever leave.
    """
    valid: Flags = stock != OUT_OF_STOCK
    if not (stock == UNKNOWN_STOCK).any():
        return valid
    run_sku, run_length, run_of_day, empty = _empty_runs(units, stock)
    left_out = np.zeros(len(run_sku), dtype=bool)
    while True:
        rate = baseline_rates(units, valid, pre=pre)
        unlikely = log_chance_of_no_sale(rate[run_sku] * run_length, noise) < np.log(EMPTY_RUN_PROBABILITY)
        if not (unlikely & ~left_out).any():
            return valid
        left_out |= unlikely
        valid[empty] = ~left_out[run_of_day]


def _empty_runs(
    units: Floats, stock: NDArray[np.int8]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], Flags]:
    """Runs of consecutive days with unknown stock and no sale: SKU and length of each run, the run of each such day
    (in the order of the mask), and the mask of such days."""
    empty = (stock == UNKNOWN_STOCK) & (units == 0)
    starts = empty.copy()
    starts[:, 1:] &= ~empty[:, :-1]
    run_of_day = np.cumsum(starts)[empty.ravel()] - 1
    return np.nonzero(starts)[0], np.bincount(run_of_day, minlength=int(starts.sum())), run_of_day, empty


def log_chance_of_no_sale(mean: Floats, noise: Noise) -> Floats:
    """log P(0) of a negative binomial with this mean and variance phi mean + sig2 mean^2."""
    excess = noise.phi - 1 + noise.sig2 * mean
    return -mean * np.log1p(excess) / excess
