"""The shelf of a shop whose buyer orders by a rule of thumb, so that 7 to 8 % of its SKU-days have no stock.

The buyer looks at the average sales of the last weeks and orders when stock and goods in transit together cover less
than `ALARM_DAYS`. Deliveries take 14 days on average, but not always, and sales below expectation are read as demand.
"""

from collections import defaultdict

import numpy as np

from apps.marketplaces.standins.demand import Demand, Ints

LEAD_DAYS, LEAD_SPREAD, LEAD_LEAST = 14.0, 2.5, 5  # mean, standard deviation, shortest
ALARM_DAYS, CYCLE_DAYS = 16.5, 21.0
MEMORY_DAYS = 28.0  # of the average sales


class Shelf:
    """Units free to sell. A day is: `receive` what arrives, sell, `close` with what was sold."""

    def __init__(self, demand: Demand) -> None:
        numbers = demand.stream("stock")
        self._demand = demand
        self._average = demand.rate.copy()
        self._due: defaultdict[int, Ints] = defaultdict(lambda: np.zeros(demand.skus, dtype=np.int64))
        self.in_transit = np.zeros(demand.skus, dtype=np.int64)
        cover = numbers.uniform(0, ALARM_DAYS + CYCLE_DAYS, demand.skus)
        self.free = np.ceil(demand.rate * cover).astype(np.int64)

    def receive(self, day: int) -> None:
        """Put on the shelf what arrives in the night before `day`."""
        if day in self._due:
            arrived = self._due.pop(day)
            self.free += arrived
            self.in_transit -= arrived

    def put_back(self, units: Ints) -> None:
        """Cancelled or returned units can be sold again."""
        self.free += units

    def close(self, day: int, sold: Ints) -> None:
        """Take the units of `day` off the shelf and order what runs short."""
        self.free -= sold
        self._average += (sold - self._average) / MEMORY_DAYS
        covered = self.free + self.in_transit
        short = covered < np.maximum(self._average * ALARM_DAYS, 1)
        wanted = np.where(short, np.ceil(self._average * (ALARM_DAYS + CYCLE_DAYS)).astype(np.int64) - covered, 0)
        self._order(day, np.maximum(wanted, short.astype(np.int64)))

    def _order(self, day: int, units: Ints) -> None:
        lead = self._demand.stream("stock", day).normal(LEAD_DAYS, LEAD_SPREAD, len(units))
        due = day + 1 + np.maximum(np.round(lead), LEAD_LEAST).astype(np.int64)
        self.in_transit += units
        for sku in np.flatnonzero(units):
            self._due[int(due[sku])][sku] += units[sku]
