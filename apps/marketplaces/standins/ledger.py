"""The kept truth of a shop: what really happened, per product and shop day.

It is written from what the world drew, not from the postings, so that the postings (and whoever reads them) can be
held against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from apps.marketplaces.standins.demand import Ints
from apps.marketplaces.standins.postings import Ended

Counts = np.ndarray  # int32, one entry per product


@dataclass(frozen=True)
class DayTruth:
    """One shop day. Entries are products; money in kopecks.

    units, revenue: ordered that day; cancelled_units, returned_units: how many of those so far; cancellations, returns:
    units whose cancellation or return happened that day; stock: free to sell that morning; price: in force that day.
    """

    units: Counts
    revenue: Ints
    stock: Counts
    price: Ints
    cancelled_units: Counts
    returned_units: Counts
    cancellations: Counts
    returns: Counts


@dataclass(frozen=True)
class PriceWrite:
    """A price that the shop really took. `effect` is the true relative change of profit per day, None without a profit
    to start from; it acts on demand from day `acts_from`. Prices in kopecks."""

    at: datetime
    product: int
    price_from: int
    price_to: int
    acts_from: int
    effect: float | None


@dataclass
class Ledger:
    """Truth by day; `writes` in the order in which they happened."""

    products: int
    days: dict[int, DayTruth] = field(default_factory=dict)
    writes: list[PriceWrite] = field(default_factory=list)

    def record_sales(self, day: int, *, units: Ints, stock: Ints, price: Ints) -> None:
        """Open the page of a day with what was ordered on it."""
        blank = [np.zeros(self.products, np.int32) for _ in range(4)]
        self.days[day] = DayTruth(units.astype(np.int32), units * price, stock.astype(np.int32), price.copy(), *blank)

    def record_ends(self, day: int, ends: Iterable[Ended]) -> Ints:
        """Book cancellations and returns of a day on it and on the days of their orders; returns the units that end."""
        page, back = self.days[day], np.zeros(self.products, np.int64)
        for ended in ends:
            ordered = self.days[ended.ordered_on]
            then, now = (
                (ordered.returned_units, page.returns)
                if ended.returned
                else (ordered.cancelled_units, page.cancellations)
            )
            for counts in (then, now, back):
                np.add.at(counts, ended.products, ended.units)
        return back
