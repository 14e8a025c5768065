"""One look at a shop around a window: what sold, what happened to prices, and which days say something.

A verdict and the chart beside it are made of the same look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from django.db.models import Q

from apps.catalog.models import PriceChange
from apps.common.periods import Period
from apps.experiments import counterfactual
from apps.experiments.counterfactual import OUT_OF_STOCK, PRE_DAYS, ShopWindow
from apps.experiments.models import Experiment
from apps.sales.panel import Panel, panel
from apps.shops.models import Shop

ONE_DAY = timedelta(days=1)


class Silence(StrEnum):
    """Why a day says nothing of what sells at a price."""

    OUT_OF_STOCK = "out_of_stock"
    PERHAPS_OUT_OF_STOCK = "perhaps_out_of_stock"  # nobody recorded the stock, and it sold nothing for too long
    OTHER_PRICE = "other_price"
    PRICE_CHANGED = "price_changed"  # the day of the change that is measured
    UNKNOWN = "unknown"  # the shop's sales of the day are not known


@dataclass(frozen=True)
class Window:
    """The measured days of experiments that started together and run equally long."""

    starts_on: date
    days: int

    @property
    def period(self) -> Period:
        """From the first day of the baseline to the last measured one."""
        first = self.starts_on - timedelta(days=PRE_DAYS)
        return Period(first, self.starts_on + timedelta(days=self.days - 1))


@dataclass(frozen=True)
class History:
    """What happened to prices in a window, product by product, oldest first.

    A change at the marketplace is seen on the morning after: that of the last day belongs to the window.
    """

    window: Window
    changes: dict[int, list[PriceChange]]
    in_experiment: set[int]

    @classmethod
    def of(cls, shop: Shop, window: Window) -> History:
        period = window.period
        changes: dict[int, list[PriceChange]] = defaultdict(list)
        in_window = Q(seen_on__range=(period.first, period.last))
        morning_after = Q(seen_on=period.last + timedelta(days=1), source=PriceChange.Source.MARKETPLACE)
        found = PriceChange.objects.filter(in_window | morning_after, product__shop=shop, price_from__isnull=False)
        for change in found.order_by("seen_at", "pk"):
            changes[change.product_id].append(change)
        running = Experiment.objects.filter(shop=shop, starts_on__lte=period.last).exclude(state=Experiment.State.VOID)
        overlapping = {one.product_id for one in running if one.ends_on >= window.starts_on}
        return cls(window, dict(changes), overlapping)

    def touched(self) -> set[int]:
        """Products that cannot serve as controls: an experiment or a price change falls into the measured days.

        The day before them is the day of the changes that are measured: it counts as touched too.
        """
        changed = {
            product_id
            for product_id, changes in self.changes.items()
            if changes[-1].seen_on >= self.window.starts_on - timedelta(days=1)
        }
        return self.in_experiment | changed

    def days_at_other_prices(self, product_id: int, measured: Experiment | None) -> int:
        """Leading days of the window, up to the last change before the one measured, that say nothing of the price
        the product had afterwards."""
        own = measured.command_id if measured else None
        earlier = [change.seen_on for change in self.changes.get(product_id, []) if change.command_id != own]
        before = [day for day in earlier if day < self.window.starts_on]
        return (max(before) - self.window.period.first).days + 1 if before else 0

    def disturbed_from(self, experiment: Experiment) -> date | None:
        """The first day after the start on which the product had yet another price."""
        later = [
            change.seen_on - ONE_DAY if change.source == PriceChange.Source.MARKETPLACE else change.seen_on
            for change in self.changes.get(experiment.product_id, [])
            if change.seen_on >= experiment.starts_on and change.command_id != experiment.command_id
        ]
        return min(later, default=None)

    def was_disturbed(self, experiment: Experiment) -> bool:
        """Whether the price was changed again while it was measured."""
        return self.disturbed_from(experiment) is not None


@dataclass(frozen=True)
class Look:
    """What is known of a window: `seen` answers for the rows of `data`."""

    data: Panel
    history: History
    seen: ShopWindow

    @classmethod
    def at(cls, shop: Shop, window: Window, experiments: Sequence[Experiment]) -> Look:
        data = panel(shop, window.period.first, window.period.last)
        history = History.of(shop, window)
        seen = ShopWindow(_seen(data, history, experiments), t0=PRE_DAYS, days=window.days)
        return cls(data, history, seen)

    def row_of(self, experiment: Experiment) -> int | None:
        """None when the product is archived and sold nothing."""
        return self.data.row_of(experiment.product_id)

    def silence(self, experiment: Experiment, row: int, place: int) -> Silence:
        """Why a day that does not count does not."""
        day, disturbed_from = self.data.days[place], self.history.disturbed_from(experiment)
        if day == experiment.starts_on - ONE_DAY:
            return Silence.PRICE_CHANGED
        if place < self.history.days_at_other_prices(experiment.product_id, experiment):
            return Silence.OTHER_PRICE
        if disturbed_from and day >= disturbed_from:
            return Silence.OTHER_PRICE
        if not self.data.known_days[place]:
            return Silence.UNKNOWN
        is_known = self.data.in_stock[row, place] == OUT_OF_STOCK
        return Silence.OUT_OF_STOCK if is_known else Silence.PERHAPS_OUT_OF_STOCK


def _seen(data: Panel, history: History, experiments: Sequence[Experiment]) -> counterfactual.Panel:
    """The panel as the statistics may read it: days at other prices say nothing, neither do days nobody recorded."""
    measured = {experiment.product_id: experiment for experiment in experiments}
    stock = data.in_stock.copy()
    stock[:, ~data.known_days] = OUT_OF_STOCK
    for row, product_id in enumerate(data.product_ids.tolist()):
        experiment = measured.get(product_id)
        stock[row, : history.days_at_other_prices(product_id, experiment)] = OUT_OF_STOCK
        if experiment:
            stock[row, PRE_DAYS - 1] = OUT_OF_STOCK
            stock[row, _place_of(history.disturbed_from(experiment), data) :] = OUT_OF_STOCK
    controls = ~np.isin(data.product_ids, list(history.touched()))
    return counterfactual.Panel(units=data.units, stock=stock, categories=data.categories, controls=controls)


def _place_of(day: date | None, data: Panel) -> int:
    """Of a day of the panel; behind its end without a day."""
    return data.units.shape[1] if day is None else (day - data.first).days
