"""Sums by key over any period: whole months and years from memory, what lies beside them from a few rows of days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.analytics.blocks import Range
from apps.analytics.days import Numbers

MEASURES = ("count", "quantity", "revenue")


@dataclass(frozen=True)
class Totals:
    """The measures of each key: `quantity` is in thousandths, `revenue` in hundred-thousandths."""

    keys: Numbers
    count: Numbers
    quantity: Numbers
    revenue: Numbers

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """Key, count, quantity and revenue."""
        return zip(*(column.tolist() for column in (self.keys, self.count, self.quantity, self.revenue)), strict=True)

    def best(self, measure: Numbers, limit: int) -> Totals:
        """The keys with the highest of `measure`, which is one of these columns; of equals the lower key first."""
        chosen = np.arange(len(measure))
        if limit < len(measure):
            chosen = np.flatnonzero(measure >= np.partition(measure, -limit)[-limit])
        return self._at(chosen[np.lexsort((self.keys[chosen], -measure[chosen]))[:limit]])

    def counted(self) -> Totals:
        """Those that have a count."""
        return self._at(np.flatnonzero(self.count))

    def _at(self, places: NDArray[np.intp]) -> Totals:
        return Totals(self.keys[places], self.count[places], self.quantity[places], self.revenue[places])


@dataclass(frozen=True)
class Months:
    """The measures of each month and year (`block`, in order) by key: `place` says where in `keys` a row's key is.

    Each of `columns` holds one measure of all rows.
    """

    keys: Numbers
    block: NDArray[np.int32]
    place: NDArray[np.int64]
    columns: list[Numbers]

    @classmethod
    def of(cls, columns: dict[str, Any]) -> Months:
        """From the columns of a table; of one block and key there may be many rows."""
        order = np.argsort(columns["block"], kind="stable")
        keys, place = np.unique(columns["key"][order], return_inverse=True)
        return cls(keys, columns["block"][order], place, [columns[name][order] for name in MEASURES])

    @property
    def size(self) -> int:
        """In bytes."""
        return self.block.nbytes + sum(column.nbytes for column in (self.keys, self.place, *self.columns))

    def totals(self, months: Iterable[Range], days: dict[str, Any] | None) -> Totals:
        """Of these ranges of months and years, and of these rows beside them: days of months that are held here."""
        sums = [np.zeros(len(self.keys), np.int64) for _ in MEASURES]
        for first, last in months:
            rows = slice(*np.searchsorted(self.block, (first, last + 1)))
            for measure, column in zip(sums, self.columns, strict=True):
                np.add.at(measure, self.place[rows], column[rows])
        if days is not None:
            place = np.searchsorted(self.keys, days["key"])
            for measure, name in zip(sums, MEASURES, strict=True):
                np.add.at(measure, place, days[name])
        return Totals(self.keys, *sums)
