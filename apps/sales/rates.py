"""How many units a day a product sells: the one rate behind prices, reorder points and verdicts.

Pure: arrays in, arrays out. Products are rows, days are columns, oldest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE_DAYS = 56
"""How far back a rate looks."""
HALF_LIFE_DAYS = 21.0


def recency_weights(days: int) -> Floats:
    """Weights of that many days: the last weighs 1, each half as much as one HALF_LIFE_DAYS later."""
    weights: Floats = 0.5 ** (np.arange(days - 1, -1, -1) / HALF_LIFE_DAYS)
    return weights


def daily_rates(units: NDArray[np.integer], stocked: NDArray[np.bool_]) -> Floats:
    """Units a day of each product: the weighted mean of its days in stock (simple exponential smoothing). NaN where a
    product was never in stock."""
    weights = recency_weights(units.shape[1]) * stocked
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):
        rates: Floats = (weights * units).sum(axis=1) / np.where(total > 0, total, np.nan)
    return rates
