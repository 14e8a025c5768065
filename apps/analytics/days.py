"""Sums by day, kept in memory: a few hundred kilobytes answer most questions, in a fraction of what a statement takes.

Everything in them is a whole number: amounts are counted in hundred-thousandths, quantities in thousandths, days from
1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.common.periods import Period

PLACES = 5  # of an amount
QUANTITY_PLACES = 3
DAY_NOUGHT = date(1970, 1, 1).toordinal()
NOTHING = Decimal(0)

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """Sums of some measures in each cell, that is for each combination of some keys.

    `before[i, n]` is what lies in cell i before the n-th day from `first`: what lies in a period is a difference.
    """

    first: int
    cells: list[tuple[Any, ...]]
    before: Numbers

    @classmethod
    def of(cls, columns: dict[str, Any], keys: Sequence[str]) -> Days:
        """From the columns of a table with these keys, `day` and the measures; of one day and cell there may be many
        rows."""
        rows = list(zip(*(columns[key].tolist() for key in keys), strict=True))
        place = {cell: number for number, cell in enumerate(dict.fromkeys(rows))}
        measures = [values for name, values in columns.items() if name not in {*keys, "day"}]
        first, last = (int(columns["day"].min()), int(columns["day"].max())) if rows else (0, -1)
        before = np.zeros((len(place), last - first + 2, len(measures)), np.int64)
        where = np.array([place[row] for row in rows], np.int64)
        np.add.at(before, (where, columns["day"] - first + 1), np.stack(measures, axis=1))
        return cls(first, list(place), before.cumsum(axis=1))

    @property
    def size(self) -> int:
        """In bytes."""
        return self.before.nbytes

    def total(self, period: Period, chosen: Sequence[int]) -> list[int]:
        """The measures of these cells over the whole period."""
        return self._between([number(period.first), number(period.last) + 1], chosen)[0]

    def each(self, period: Period, chosen: Sequence[int]) -> list[list[int]]:
        """The measures of these cells on every day of the period."""
        return self._between(range(number(period.first), number(period.last) + 2), chosen)

    def _between(self, days: Sequence[int], chosen: Sequence[int]) -> list[list[int]]:
        """From each of these days up to the next."""
        places = np.clip(np.array(days) - self.first, 0, self.before.shape[1] - 1)
        reached = self.before[np.ix_(np.array(chosen, np.int64), places)].sum(axis=0)
        found: list[list[int]] = np.diff(reached, axis=0).tolist()
        return found


def money(whole: int) -> Decimal:
    return Decimal(whole).scaleb(-PLACES) if whole else NOTHING


def units(whole: int) -> Decimal:
    return Decimal(whole).scaleb(-QUANTITY_PLACES) if whole else NOTHING


def number(day: date) -> int:
    return day.toordinal() - DAY_NOUGHT
