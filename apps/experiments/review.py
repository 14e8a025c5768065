"""The morning's review: every experiment whose days are over gets its verdict.

All experiments that share a window share one look at the shop; nothing is judged before the shop's data are complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.catalog.models import PriceChange
from apps.common.errors import Refused
from apps.common.periods import Period
from apps.experiments import counterfactual, lifecycle, verdicts
from apps.experiments.models import Experiment, Verdict
from apps.notifications.outbox import people_who_may, tell
from apps.sales.panel import Panel, panel
from apps.sales.shop_sync import is_complete
from apps.shops.audit import record
from apps.shops.models import Shop
from apps.shops.roles import Action

State = Experiment.State
ECONOMICS = TypeAdapter(verdicts.Economics)


@dataclass(frozen=True)
class Window:
    """The measured days of experiments that started together and run equally long."""

    starts_on: date
    days: int

    @property
    def period(self) -> Period:
        """From the first day of the baseline to the last measured one."""
        first = self.starts_on - timedelta(days=counterfactual.PRE_DAYS)
        return Period(first, self.starts_on + timedelta(days=self.days - 1))


def review_due(*, shop: Shop, today: date) -> dict[str, int]:
    """Judge what ended before `today`. Returns how many verdicts of each kind were given.

    Raises `Refused` while this morning's data are not complete.
    """
    if not is_complete(shop, today):
        raise Refused(_("The data of this morning are not complete yet; experiments are judged after the sync."))
    windows: dict[Window, list[Experiment]] = defaultdict(list)
    running = Experiment.objects.filter(shop=shop, state=State.RUNNING)
    for experiment in running.select_related("product", "command", "shop__seller"):
        if experiment.ends_on < today:
            windows[Window(experiment.starts_on, experiment.days)].append(experiment)
    counts: dict[str, int] = defaultdict(int)
    for window, experiments in windows.items():
        for outcome in filter(None, _review(shop, window, experiments, today)):
            counts[outcome] += 1
    return dict(counts)


def _review(shop: Shop, window: Window, experiments: list[Experiment], today: date) -> Iterator[str]:
    """What became of each; "" of one that somebody has decided on meanwhile."""
    data = panel(shop, window.period.first, window.period.last)
    history = _History.of(shop, window)
    seen = counterfactual.ShopWindow(_seen(data, history, experiments), t0=counterfactual.PRE_DAYS, days=window.days)
    for experiment in experiments:
        sku = data.row_of(experiment.product_id)
        if sku is None:
            yield _void(experiment, "archived", today)
        elif history.was_disturbed(experiment):
            yield _void(experiment, "price_changed", today)
        else:
            question = verdicts.price_question(ECONOMICS.validate_python(experiment.economics))
            yield _write(experiment, verdicts.judge(seen.of(sku), question), today)


@dataclass(frozen=True)
class _History:
    """What happened to prices in a window, product by product, oldest first.

    A change at the marketplace is seen on the morning after: that of the last day belongs to the window.
    """

    window: Window
    changes: dict[int, list[PriceChange]]
    in_experiment: set[int]

    @classmethod
    def of(cls, shop: Shop, window: Window) -> _History:
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

    def was_disturbed(self, experiment: Experiment) -> bool:
        """Whether the price was changed again while it was measured."""
        return any(
            change.seen_on >= experiment.starts_on and change.command_id != experiment.command_id
            for change in self.changes.get(experiment.product_id, [])
        )


def _seen(data: Panel, history: _History, experiments: list[Experiment]) -> counterfactual.Panel:
    """The panel as the statistics may read it: days at other prices say nothing, neither do days nobody recorded."""
    measured = {experiment.product_id: experiment for experiment in experiments}
    stock = data.in_stock.copy()
    stock[:, ~data.known_days] = counterfactual.OUT_OF_STOCK
    for row, product_id in enumerate(data.product_ids.tolist()):
        experiment = measured.get(product_id)
        stock[row, : history.days_at_other_prices(product_id, experiment)] = counterfactual.OUT_OF_STOCK
        if experiment:
            stock[row, counterfactual.PRE_DAYS - 1] = counterfactual.OUT_OF_STOCK
    controls = ~np.isin(data.product_ids, list(history.touched()))
    return counterfactual.Panel(units=data.units, stock=stock, categories=data.categories, controls=controls)


@transaction.atomic
def _void(experiment: Experiment, reason: str, today: date) -> str:
    if not lifecycle.void(experiment=experiment, reason=reason):
        return ""
    _tell(experiment, today)
    return "VOID"


@transaction.atomic
def _write(experiment: Experiment, verdict: verdicts.Verdict, today: date) -> str:
    still_open = Experiment.objects.filter(pk=experiment.pk, state=State.RUNNING, days=experiment.days)
    if not still_open.update(state=State.JUDGED):
        return ""
    effect, money, sales = verdict.effect, verdict.money, verdict.sales
    row, _is_new = Verdict.objects.update_or_create(
        experiment=experiment,
        as_of=today,
        defaults={
            "result": verdict.outcome.value,
            "lean": verdict.lean or "",
            "advice": verdict.action or "",
            "reasons": [reason.value for reason in verdict.reasons],
            "basis": effect.basis.value,
            "probability": effect.probability,
            "prior_probability": verdict.prior_probability,
            "effect": effect.expected,
            "effect_low": effect.low,
            "effect_high": effect.high,
            "loss_if_kept": effect.loss_keep,
            "loss_if_rolled_back": effect.loss_back,
            "per_day": money and money.expected,
            "per_day_low": money and money.low,
            "per_day_high": money and money.high,
            "observed": sales.observed,
            "expected": sales.expected,
            "shop_change": sales.index_change,
            "valid_days": sales.valid_days,
            "inferred_days": sales.inferred_days,
            "controls": sales.controls,
            "log_likelihood": list(verdict.log_likelihood),
        },
    )
    record("experiment.judged", shop=experiment.shop, subject=experiment, result=row.result, as_of=str(today))
    _tell(experiment, today)
    return row.result


def _tell(experiment: Experiment, today: date) -> None:
    seller = experiment.shop.seller
    tell(
        name="verdict_card",
        key=f"verdict:{experiment.pk}:{today}",
        seller=seller,
        people=people_who_may(seller, Action.APPROVE),
        params={"experiment": experiment.pk, "as_of": str(today)},
        subject=f"experiment:{experiment.pk}",
    )
