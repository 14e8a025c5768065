"""The life of an experiment: it starts after a verified change and ends with a person's word.

running -> judged -> kept | rolling_back -> rolled_back          judged -> running (extended)
running -> stopped -> kept | rolling_back                        running -> rolling_back -> rolled_back | void (undone)
running | judged | stopped -> void
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.common.db import take_lock
from apps.common.errors import Denied, Refused
from apps.common.periods import day_of
from apps.decisions import undo as undoing
from apps.decisions.approval import Objected, approve, propose, show
from apps.decisions.kinds import Measured, kind_of, payload_of
from apps.decisions.models import Command, Proposal
from apps.experiments.models import Experiment
from apps.experiments.verdicts import EXTENSION_DAYS
from apps.notifications.outbox import retell
from apps.shops.audit import record
from apps.shops.models import Member
from apps.shops.roles import Action, require

State = Experiment.State
ROLLBACK_LIFE = timedelta(hours=1)
LONGEST_OUTAGE = timedelta(days=7)


class AlreadyOver(Refused):
    """The experiment has been decided on, or has not come to a verdict yet."""


def start_after(*, command: Command, now: datetime) -> Experiment | None:
    """What follows a verified command: its experiment starts, or the one it rolls back ends. Twice does no harm."""
    if command.state != Command.State.VERIFIED:
        return None
    if command.proposal.reverses_id:
        _rolled_back(command)
        return None
    with transaction.atomic():
        experiment = _measure(command, now)
        if command.undo_by:
            _finish_undo(command, command.undo_by, now)
    return experiment


def start_missing(*, now: datetime) -> int:
    """Start, or end, what a crash left out after a command. Returns how many commands were looked after."""
    unfinished = Command.objects.filter(
        state=Command.State.VERIFIED, proposal__reverses__experiment__state=State.ROLLING_BACK
    )
    count = 0
    for commands in (without_experiment(now=now), unfinished):
        for command in commands.select_related("shop__seller", "proposal"):
            start_after(command=command, now=now)
            count += 1
    return count + _reopen_failed_rollbacks()


def without_experiment(*, now: datetime) -> QuerySet[Command]:
    """Verified commands whose experiment has not started yet. What has none after the longest outage that we reckon
    with is not measured at all."""
    return Command.objects.filter(
        state=Command.State.VERIFIED,
        proposal__reverses=None,
        experiment=None,
        verified_at__gt=now - LONGEST_OUTAGE,
    )


def keep(*, experiment_id: int, by: Member, now: datetime) -> Experiment:
    """The new price stays."""
    return _decide(experiment_id, by, now, State.KEPT, "experiment.kept")


def extend(*, experiment_id: int, by: Member, now: datetime, days: int | None = None) -> Experiment:
    """Measure longer, `days` in all: a week more where nothing is said, four weeks at the most."""
    with transaction.atomic():
        experiment = _open(experiment_id, by, State.JUDGED)
        if not experiment.longer:
            raise Refused(_("An experiment runs 28 days at most: keep the price or roll it back."))
        wanted = days or experiment.days + EXTENSION_DAYS
        if wanted not in experiment.longer:
            raise Refused(_("The experiment runs %(days)s days already: choose more.") % {"days": experiment.days})
        experiment.days, experiment.state = wanted, State.RUNNING
        experiment.save(update_fields=["days", "state"])
        _tell_of(experiment, by, "experiment.extended", days=experiment.days)
    return experiment


def stop(*, experiment_id: int, by: Member, now: datetime) -> Experiment:
    """End the measuring before its time. There will be no verdict, for one is given on whole weeks only and not at a
    moment that somebody picks; the new price stays until it is kept or rolled back."""
    with transaction.atomic():
        experiment = _open(experiment_id, by, State.RUNNING)
        today = day_of(now, experiment.shop.timezone)
        if today > experiment.ends_on:
            raise Refused(_("All its days are over: the verdict comes with the next review."))
        experiment.state, experiment.stopped_on = State.STOPPED, today
        experiment.save(update_fields=["state", "stopped_on"])
        _tell_of(experiment, by, "experiment.stopped", days_over=experiment.days_over(today))
    return experiment


def roll_back(*, experiment_id: int, by: Member, now: datetime) -> Command | None:
    """Propose the price that stood before, through the same gate, and approve it in `by`'s name at once."""
    require(by, Action.APPROVE)
    with transaction.atomic():
        experiment = _locked(experiment_id, by)
        if experiment.state not in (State.RUNNING, *Experiment.WAITING):
            raise AlreadyOver(_how_it_stands(experiment))
        return _go_back(experiment.command, experiment, by, now)


@transaction.atomic
def undo(*, command_id: int, by: Member, now: datetime) -> Command | None:
    """Take back a change that was just made. What was not sent is not sent; what was sent goes back through the gate,
    approved in `by`'s name at once, or as soon as it is known to have arrived.

    Returns the command that brings the old value back, None where none is needed or none can be made yet. Raises
    `Denied`, `NotFound`, or `Refused` when it is too late or a guardrail stands against it.
    """
    require(by, Action.APPROVE)
    shop_id = Command.objects.find(by.seller, pk=command_id).shop_id
    experiment = Experiment.objects.select_for_update().filter(command=command_id).first()
    take_lock("decisions", shop_id)  # an experiment is locked before its shop, here and in `roll_back`
    commands = Command.objects.select_for_update(of=("self",)).select_related("shop__seller", "proposal")
    command = commands.get(pk=command_id)
    if refusal := undoing.flaw(command, now=now):
        raise refusal
    if experiment and experiment.state != State.RUNNING:
        raise AlreadyOver(_how_it_stands(experiment))
    command.undo_by, command.undo_problem = by, {}
    command.save(update_fields=["undo_by", "undo_problem"])
    record("command.undone", actor=by.person, shop=command.shop, subject=command)
    retell(f"proposal:{command.proposal_id}")
    if undoing.withdraw(command, now=now) or command.state != Command.State.VERIFIED:
        return None
    started = _measure(command, now)
    return _go_back(command, started if started and started.state == State.RUNNING else None, by, now)


def void(*, experiment: Experiment, reason: str) -> bool:
    """Something else happened in the window: no verdict is possible. False when somebody has decided meanwhile."""
    ended = Experiment.objects.filter(pk=experiment.pk, state=experiment.state).update(
        state=State.VOID, void_reason=reason
    )
    if ended:
        record("experiment.void", shop=experiment.shop, subject=experiment, reason=reason)
        retell(f"experiment:{experiment.pk}")
    return bool(ended)


def _go_back(command: Command, experiment: Experiment | None, by: Member, now: datetime) -> Command | None:
    """The proposal of what stood before, approved in `by`'s name."""
    kind = kind_of(command)
    proposal = propose(
        shop=command.shop,
        kind=kind,
        draft=kind.reverse(command, payload_of(command)),
        now=now,
        expires_at=now + ROLLBACK_LIFE,
        by=by,
        reverses=command,
    )
    if experiment:
        experiment.state, experiment.rollback = State.ROLLING_BACK, proposal
        experiment.decided_by, experiment.decided_at = by, now
        experiment.save(update_fields=["state", "rollback", "decided_by", "decided_at"])
        _tell_of(experiment, by, "experiment.rolling_back", proposal=proposal.pk)
    show(proposal)
    return approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=by, now=now)


def _finish_undo(command: Command, by: Member, now: datetime) -> None:
    """The undo that was asked for while the change was under way: once. What stands against it is told by the card."""
    on_its_way = Q(state=Proposal.State.PENDING) | Q(command__state__in=[*Command.LIVE, Command.State.VERIFIED])
    experiment = Experiment.objects.select_for_update().filter(command=command, state=State.RUNNING).first()
    take_lock("decisions", command.shop_id)
    if command.reversals.filter(on_its_way).exists():
        return
    try:
        with transaction.atomic():
            _go_back(command, experiment, by, now)
    except Objected as refusal:
        _not_undone(command, refusal.objection.as_json())
    except Denied:
        _not_undone(command, {"code": "undo_denied"})


def _not_undone(command: Command, problem: dict[str, Any]) -> None:
    """The change stands. It may be undone again while there is time."""
    Command.objects.filter(pk=command.pk).update(undo_by=None, undo_problem=problem)
    record("command.undo_failed", shop=command.shop, subject=command, **problem)
    retell(f"proposal:{command.proposal_id}")


def _measure(command: Command, now: datetime) -> Experiment | None:
    measured = kind_of(command).measured(command, payload_of(command))
    return _start(command, measured, now) if measured else None


@transaction.atomic
def _start(command: Command, measured: Measured, now: datetime) -> Experiment:
    """Commands of one product follow each other, so the later of two is the one with the higher id."""
    of_product = Experiment.objects.filter(product=measured.product_id)
    for earlier in of_product.filter(command__lt=command.pk, state__in=Experiment.LIVE).select_for_update():
        void(experiment=earlier, reason="price_changed")
    is_overtaken = of_product.filter(command__gt=command.pk).exists()
    verified_at = command.verified_at or now
    experiment, is_new = Experiment.objects.get_or_create(
        command=command,
        defaults={
            "shop": command.shop,
            "product_id": measured.product_id,
            "state": State.VOID if is_overtaken else State.RUNNING,
            "void_reason": "price_changed" if is_overtaken else "",
            "starts_on": day_of(verified_at, command.shop.timezone) + timedelta(days=1),
            "days": measured.days,
            "price_from": measured.price_from,
            "price_to": measured.price_to,
            "currency": command.proposal.currency,
            "economics": dict(measured.economics),
        },
    )
    if is_new:
        action = "experiment.void" if is_overtaken else "experiment.started"
        record(action, shop=command.shop, subject=experiment, command=command.pk)
        retell(f"proposal:{command.proposal_id}")
    return experiment


def _rolled_back(command: Command) -> None:
    with transaction.atomic():
        changed = Experiment.objects.filter(command=command.proposal.reverses_id, state=State.ROLLING_BACK)
        for experiment in changed.select_for_update(of=("self",)).select_related("command"):
            is_undone = experiment.command.undo_by_id is not None
            experiment.state = State.VOID if is_undone else State.ROLLED_BACK
            experiment.void_reason = "undone" if is_undone else ""
            experiment.save(update_fields=["state", "void_reason"])
            record(f"experiment.{experiment.state}", shop=command.shop, subject=experiment, command=command.pk)
            retell(f"experiment:{experiment.pk}")
            retell(f"proposal:{experiment.command.proposal_id}")


def _reopen_failed_rollbacks() -> int:
    """A rollback that did not come about leaves the decision open again."""
    undone = [state for state in Command.State if state not in (*Command.LIVE, Command.State.VERIFIED)]
    undecided = [state for state in Proposal.State if state not in (Proposal.State.PENDING, Proposal.State.APPROVED)]
    rolling_back = Experiment.objects.filter(state=State.ROLLING_BACK)
    failed = rolling_back.filter(Q(rollback__command__state__in=undone) | Q(rollback__state__in=undecided))
    count = 0
    with transaction.atomic():
        for experiment in failed.select_for_update(of=("self",)).select_related("command__shop__seller"):
            experiment.state = _state_before(experiment)
            experiment.rollback = experiment.decided_by = experiment.decided_at = None
            experiment.save(update_fields=["state", "rollback", "decided_by", "decided_at"])
            record("experiment.rollback_failed", shop=experiment.shop, subject=experiment)
            retell(f"experiment:{experiment.pk}")
            if experiment.command.undo_by_id:
                _not_undone(experiment.command, {"code": "undo_failed"})
            count += 1
    return count


def _state_before(experiment: Experiment) -> State:
    """Where an experiment stood before its rollback was ordered."""
    if experiment.stopped_on:
        return State.STOPPED
    is_judged = experiment.verdicts.filter(as_of__gt=experiment.ends_on).exists()
    return State.JUDGED if is_judged else State.RUNNING


def _decide(experiment_id: int, by: Member, now: datetime, state: State, action: str) -> Experiment:
    with transaction.atomic():
        experiment = _open(experiment_id, by, *Experiment.WAITING)
        experiment.state, experiment.decided_by, experiment.decided_at = state, by, now
        experiment.save(update_fields=["state", "decided_by", "decided_at"])
        _tell_of(experiment, by, action)
    return experiment


def _open(experiment_id: int, by: Member, *states: str) -> Experiment:
    """The experiment, locked, while it stands in one of these states."""
    require(by, Action.APPROVE)
    experiment = _locked(experiment_id, by)
    if experiment.state not in states:
        raise AlreadyOver(_how_it_stands(experiment))
    return experiment


def _locked(experiment_id: int, by: Member) -> Experiment:
    Experiment.objects.find(by.seller, pk=experiment_id)
    return (
        Experiment.objects.select_for_update(of=("self",))
        .select_related("shop__seller", "product", "command__shop__seller", "command__proposal")
        .get(pk=experiment_id)
    )


def _tell_of(experiment: Experiment, by: Member, action: str, **data: Any) -> None:
    record(action, actor=by.person, shop=experiment.shop, subject=experiment, **data)
    retell(f"experiment:{experiment.pk}")


def _how_it_stands(experiment: Experiment) -> str:
    words = {
        State.RUNNING: _("The experiment is still running: there is no verdict to decide on yet."),
        State.JUDGED: _("The experiment waits for a decision."),
        State.STOPPED: _("The experiment was stopped early: keep the price or roll it back."),
        State.KEPT: _("Already decided by %(who)s: the price stays."),
        State.ROLLING_BACK: _("Already decided by %(who)s: the price is being rolled back."),
        State.ROLLED_BACK: _("Already decided by %(who)s: the price was rolled back."),
        State.VOID: _("The experiment is void: something else changed while it ran."),
    }
    return words[State(experiment.state)] % {"who": experiment.decided_by.person if experiment.decided_by else ""}
