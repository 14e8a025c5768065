"""The verdict on an experiment as a card: what was found, what to do about it, and what was done."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.experiments.models import Experiment, Verdict
from apps.experiments.verdicts import EXTENSION_DAYS, Reason
from apps.notifications.models import OutboxMessage
from apps.reports.links import decision_link
from apps.reports.rendering import Button, Rendered, Rows, from_template
from apps.shops.models import member_of
from apps.shops.roles import Action, may

HARDLY_MOVED = 0.05
"""A probability that moved less than this from what was believed before any sale is the belief, not a finding."""

REASONS: dict[str, str | Promise] = {
    Reason.UNKNOWN_COST: gettext_lazy("The unit cost is not known, so the profit cannot be told."),
    Reason.NO_BASELINE: gettext_lazy("There is no day before the change to compare with."),
    Reason.NO_VALID_DAYS: gettext_lazy("The product was out of stock throughout."),
    Reason.NO_SHOP_SALES: gettext_lazy(
        "The other products sold nothing on these days, so there is nothing to compare with."
    ),
    Reason.FEW_VALID_DAYS: gettext_lazy("The product was out of stock on too many of the days."),
    Reason.FEW_CONTROLS: gettext_lazy(
        "Too few products were left untouched: a move of the whole shop cannot be told apart."
    ),
    Reason.LITTLE_DATA: gettext_lazy("It sells too little to tell anything in this time."),
    Reason.WIDE_RANGE: gettext_lazy("What it sold fits a gain as well as a loss."),
}

VOID: dict[str, str | Promise] = {
    "price_changed": gettext_lazy("The price was changed again while it ran."),
    "undone": gettext_lazy("The change was undone within minutes."),
    "archived": gettext_lazy("The product was archived while it ran."),
}


def verdict_card(message: OutboxMessage, now: datetime) -> Rendered:
    experiment = _experiment(message)
    verdict = experiment.verdicts.filter(as_of=date.fromisoformat(message.params["as_of"])).first()
    is_open = experiment.state in Experiment.WAITING and verdict is not None and _is_latest(verdict)
    buttons = _buttons(experiment) if is_open and _may_decide(message) else ()
    context = {**_context(experiment, verdict), "decision_link": decision_link(experiment.command.proposal_id)}
    return from_template("verdict_card", context, buttons)


def in_words(experiment: Experiment) -> str:
    """The part of the card that says what was found last, and how the experiment stands; lines of HTML."""
    return from_template("_finding", _context(experiment, next(iter(experiment.verdicts.all()), None))).text


def _context(experiment: Experiment, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "shop": experiment.shop,
        "product": experiment.product,
        "currency": experiment.currency,
        "price_change": experiment.price_to / experiment.price_from - 1,
        "void_reason": VOID.get(experiment.void_reason, ""),
        "verdict": verdict,
        "last_day": experiment.ends_on,
        **(finding(verdict) if verdict else {}),
    }


def _experiment(message: OutboxMessage) -> Experiment:
    experiments = Experiment.objects.of(message.seller).select_related(
        "shop", "product", "command", "decided_by__person__user"
    )
    experiment: Experiment = experiments.get(pk=message.params["experiment"])
    return experiment


def finding(verdict: Verdict) -> dict[str, Any]:
    """What a verdict says beside its columns, for the templates that tell it."""
    keeps = verdict.lean == Verdict.Advice.KEEP
    days = _measured_days(verdict)
    return {
        "measured_days": days,
        "last_day": verdict.experiment.starts_on + timedelta(days=days - 1),
        "worse": 1 - verdict.probability,
        "is_belief": abs(verdict.probability - verdict.prior_probability) < HARDLY_MOVED,
        "reasons": [REASONS[reason] for reason in verdict.reasons],
        "loss_if_wrong": verdict.loss_if_kept if keeps else verdict.loss_if_rolled_back,
    }


def _measured_days(verdict: Verdict) -> int:
    """Whole weeks up to the verdict: the experiment may have been extended since, and a review may come late."""
    experiment = verdict.experiment
    return min(experiment.days, (verdict.as_of - experiment.starts_on).days // EXTENSION_DAYS * EXTENSION_DAYS)


def _is_latest(verdict: Verdict) -> bool:
    return not Verdict.objects.filter(experiment=verdict.experiment_id, as_of__gt=verdict.as_of).exists()


def _may_decide(message: OutboxMessage) -> bool:
    return may(member_of(message.person, message.seller), Action.APPROVE)


def _buttons(experiment: Experiment) -> Rows:
    params = {"experiment": experiment.pk}
    keep = Button(_("Keep"), "experiment.keep", params)
    back = Button(_("Roll back"), "experiment.roll_back", params)
    extend = Button(_("Extend"), "experiment.extend", params)
    may_extend = experiment.state == Experiment.State.JUDGED and experiment.longer
    return ((keep, back), (extend,)) if may_extend else ((keep, back),)
