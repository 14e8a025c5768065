"""Distinct buyers of any period, from the days on which they bought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.analytics.days import number
from apps.common.periods import Period

Whole = NDArray[np.int32]


@dataclass(frozen=True)
class Visits:
    """How many buyers bought on a day, parted by the day on which they had bought before.

    Of each buyer of a period one visit has none before it in the period: that is how distinct buyers add up. Rows lie
    by month, and within a month by `before`, which is -1 where a buyer had not bought before: of a whole month, those
    who are new in a period end at one place. `sums[:, n]` holds what lies before row n: buyers, those among them for
    whom it was the first visit of all, and those for whom it was the one after that.
    """

    months: Whole
    starts: NDArray[np.int64]
    day: Whole
    before: Whole
    sums: Whole

    @classmethod
    def of(cls, columns: dict[str, Any]) -> Visits:
        """From the columns of a table; of one day there may be many rows."""
        day, before, buyers = (columns[name].astype(np.int32) for name in ("day", "before", "buyers"))
        month = _month(day)
        order = np.lexsort((before, month))
        months, starts = np.unique(month[order], return_index=True)
        counts = np.stack([buyers, buyers * columns["is_first"], buyers * columns["is_second"]])[:, order]
        sums = np.concatenate([np.zeros((3, 1), np.int32), counts.cumsum(axis=1, dtype=np.int32)], axis=1)
        return cls(months, np.append(starts, len(day)), day[order], before[order], sums)

    @property
    def size(self) -> int:
        """In bytes."""
        return self.day.nbytes + self.before.nbytes + self.sums.nbytes

    def distinct(self, period: Period) -> tuple[int, int, int]:
        """Buyers of the period, those who were new in it, and those who came on a later day than their first."""
        first, last = number(period.first), number(period.last)
        new, again = np.zeros(3, np.int64), np.zeros(3, np.int64)
        for start, end, is_whole in self._rows(first, last):
            count = self._whole if is_whole else partial(self._between, first, last)
            cut = start + int(np.searchsorted(self.before[start:end], np.int32(first)))
            new += count(start, cut)
            again += count(cut, end)
        every, firsts, _ = new.tolist()
        return every, firsts, every - firsts + int(again[2])

    def _rows(self, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
        """Start and end of each month that has days of these, and whether it has no other days."""
        first_month, last_month, after = _month(np.array([first, last, last + 1], np.int32)).tolist()
        whole_from = first_month + int(_month(np.int32(first - 1)) == first_month)
        whole_to = last_month - int(after == last_month)
        for place in range(*np.searchsorted(self.months, (first_month, last_month + 1)).tolist()):
            start, end = self.starts[place : place + 2].tolist()
            yield start, end, whole_from <= int(self.months[place]) <= whole_to

    def _whole(self, start: int, end: int) -> Whole:
        return self.sums[:, end] - self.sums[:, start]

    def _between(self, first: int, last: int, start: int, end: int) -> Whole:
        inside = np.flatnonzero((self.day[start:end] >= first) & (self.day[start:end] <= last)) + start
        found: Whole = (self.sums[:, inside + 1] - self.sums[:, inside]).sum(axis=1)
        return found


def _month(day: Any) -> Any:
    """The month of days that are counted from 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
