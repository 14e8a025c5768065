"""The morning's review: every experiment whose days are over gets its verdict.

All experiments that share a window share one look at the shop; nothing is judged before the shop's data are complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.catalog.models import PriceChange
from apps.common.errors import Refused
from apps.common.periods import Period, day_of
from apps.experiments import counterfactual, lifecycle, verdicts
from apps.experiments.models import Experiment, Verdict
from apps.notifications.outbox import people_who_may, tell
from apps.sales.panel import Panel, panel
from apps.sales.shop_sync import data_as_of
from apps.shops.audit import record
from apps.shops.models import Shop
from apps.shops.roles import Action

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


def review_due(*, shop: Shop, today: date, now: datetime) -> dict[str, int]:
    """Judge what ended before `today`. Returns how many verdicts of each kind were given.

    Raises `Refused` while this morning's data are not complete.
    """
    _require_complete(shop, today)
    windows: dict[Window, list[Experiment]] = defaultdict(list)
    running = Experiment.objects.filter(shop=shop, state=Experiment.State.RUNNING)
    for experiment in running.select_related("product", "command", "shop__seller"):
        if experiment.ends_on < today:
            windows[Window(experiment.starts_on, experiment.days)].append(experiment)
    counts: dict[str, int] = defaultdict(int)
    for window, experiments in windows.items():
        for outcome in _review(shop, window, experiments, today):
            counts[outcome] += 1
    return dict(counts)


def _require_complete(shop: Shop, today: date) -> None:
    as_of = data_as_of(shop)
    if as_of is None or day_of(as_of, shop.timezone) < today:
        raise Refused(_("The data of this morning are not complete yet; experiments are judged after the sync."))


def _review(shop: Shop, window: Window, experiments: list[Experiment], today: date) -> Iterable[str]:
    data = panel(shop, window.period.first, window.period.last)
    changes = _changes(shop, window.period)
    touched = _touched(shop, window.period, changes)
    for experiment in experiments:
        if _was_disturbed(experiment, changes):
            with transaction.atomic():
                lifecycle.void(experiment=experiment, reason="price_changed")
                _tell(experiment, today)
            yield "VOID"
            continue
        sku = data.row_of(experiment.product_id)
        if sku is None:
            continue
        seen = _panel(data, touched, blank=(sku, _other_price_days(experiment, changes, window)))
        measured = counterfactual.ShopWindow(seen, t0=counterfactual.PRE_DAYS, days=window.days).of(sku)
        question = verdicts.price_question(ECONOMICS.validate_python(experiment.economics))
        yield _write(experiment, verdicts.judge(measured, question), today)


def _changes(shop: Shop, period: Period) -> list[PriceChange]:
    changes = PriceChange.objects.filter(
        product__shop=shop, seen_on__gte=period.first, seen_on__lte=period.last, price_from__isnull=False
    )
    return list(changes.order_by("seen_at"))


def _touched(shop: Shop, period: Period, changes: list[PriceChange]) -> set[int]:
    """Products that cannot serve as controls: their price changed in the window, or an experiment ran in it."""
    experiments = Experiment.objects.filter(shop=shop, starts_on__lte=period.last).exclude(state=Experiment.State.VOID)
    in_window = {experiment.product_id for experiment in experiments if experiment.ends_on >= period.first}
    return in_window | {change.product_id for change in changes}


def _was_disturbed(experiment: Experiment, changes: list[PriceChange]) -> bool:
    return any(
        change.product_id == experiment.product_id
        and change.seen_on >= experiment.starts_on
        and change.command_id != experiment.command_id
        for change in changes
    )


def _other_price_days(experiment: Experiment, changes: list[PriceChange], window: Window) -> int:
    """How many columns before the first full day were not wholly at the old price, counted from the window's start:
    everything up to an earlier change; and the day of the change itself is blanked by the caller."""
    earlier = [
        change.seen_on
        for change in changes
        if change.product_id == experiment.product_id and change.command_id != experiment.command_id
    ]
    return (max(earlier) - window.period.first).days + 1 if earlier else 0


def _panel(data: Panel, touched: set[int], *, blank: tuple[int, int]) -> counterfactual.Panel:
    sku, columns = blank
    stock = data.in_stock.copy()
    stock[sku, :columns] = counterfactual.OUT_OF_STOCK
    stock[sku, counterfactual.PRE_DAYS - 1] = counterfactual.OUT_OF_STOCK
    controls = ~np.isin(data.product_ids, list(touched))
    return counterfactual.Panel(units=data.units, stock=stock, categories=data.categories, controls=controls)


@transaction.atomic
def _write(experiment: Experiment, verdict: verdicts.Verdict, today: date) -> str:
    effect, money, sales = verdict.effect, verdict.money, verdict.sales
    row, is_new = Verdict.objects.get_or_create(
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
    claimed = Experiment.objects.filter(pk=experiment.pk, state=Experiment.State.RUNNING).update(
        state=Experiment.State.JUDGED
    )
    if is_new and claimed:
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
