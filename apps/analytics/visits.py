"""Distinct buyers of any period, from the days on which they bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.analytics.days import number
from apps.common.periods import Period


@dataclass(frozen=True)
class Visits:
    """How many buyers bought on a day, parted by the day on which they had bought before.

    Of each buyer of a period one visit has none before it in the period: that is how distinct buyers add up. The arrays
    are as long as each other, in the order of `day`; `before` is -1 where a buyer had not bought before.
    """

    day: NDArray[np.int32]
    before: NDArray[np.int32]
    is_first: NDArray[np.bool_]
    is_second: NDArray[np.bool_]
    buyers: NDArray[np.int32]

    @classmethod
    def of(cls, columns: dict[str, Any]) -> Visits:
        """From the columns of a table; of one day there may be many rows."""
        day, before, buyers = (columns[name].astype(np.int32) for name in ("day", "before", "buyers"))
        return cls(day, before, columns["is_first"], columns["is_second"], buyers)

    @property
    def size(self) -> int:
        """In bytes."""
        columns = (self.day, self.before, self.is_first, self.is_second, self.buyers)
        return sum(column.nbytes for column in columns)

    def distinct(self, period: Period) -> tuple[int, int, int]:
        """Buyers of the period, those who were new in it, and those who came on a later day than their first."""
        start, end = np.searchsorted(self.day, (number(period.first), number(period.last) + 1))
        buyers, is_new = self.buyers[start:end], self.before[start:end] < number(period.first)
        every = int(buyers[is_new].sum())
        first = int(buyers[self.is_first[start:end]].sum())
        came_back = int(buyers[self.is_second[start:end] & ~is_new].sum())
        return every, first, every - first + came_back
