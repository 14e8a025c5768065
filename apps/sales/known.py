"""Which days of a shop are known: where they are not, zeros mean nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apps.common.periods import day_of
from apps.jobs.sync_runs import latest_complete
from apps.sales import rollup
from apps.sales.models import SalesHistory
from apps.shops.models import Shop


@dataclass(frozen=True)
class KnownDays:
    """Sales from `first` up to, not including, `until`; cancellations and returns by their day from `events_from`."""

    first: date | None = None
    until: date | None = None
    events_from: date | None = None

    @classmethod
    def of(cls, shop: Shop) -> KnownDays:
        history = SalesHistory.objects.filter(shop=shop).first()
        complete = latest_complete(shop, rollup.SOURCE)
        if history is None or complete is None:
            return cls()
        return cls(history.sales_from, day_of(complete.as_of, shop.timezone), history.events_from)

    def has_sales(self, day: date) -> bool:
        return self.first is not None and self.until is not None and self.first <= day < self.until

    def has_events(self, day: date) -> bool:
        return self.has_sales(day) and self.events_from is not None and day >= self.events_from
