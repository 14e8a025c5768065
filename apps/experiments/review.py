"""The morning's review: every experiment whose days are over gets its verdict.

All experiments that share a window share one look at the shop; nothing is judged before the shop's data are complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.common.errors import Refused
from apps.experiments import lifecycle, verdicts
from apps.experiments.look import Look, Window
from apps.experiments.models import Experiment, Verdict
from apps.notifications.outbox import people_who_may, tell
from apps.sales.shop_sync import is_complete
from apps.shops.audit import record
from apps.shops.models import Shop
from apps.shops.roles import Action

State = Experiment.State
ECONOMICS = TypeAdapter(verdicts.Economics)


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
    look = Look.at(shop, window, experiments)
    for experiment in experiments:
        row = look.row_of(experiment)
        if row is None:
            yield _void(experiment, "archived", today)
        elif look.history.was_disturbed(experiment):
            yield _void(experiment, "price_changed", today)
        else:
            question = verdicts.price_question(ECONOMICS.validate_python(experiment.economics))
            yield _write(experiment, verdicts.judge(look.seen.of(row), question), today)


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
