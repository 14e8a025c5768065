"""Carrying out one command: intent, act, outcome.

`run` takes a command as far as it can go now and leaves it where the next wake or sweep picks it up. Each step claims a
lease first and writes back fenced by the lease's version: a worker that was frozen and has lost its lease changes
nothing. The call itself cannot be fenced, so it is made only while the lease has time for it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.common import clock
from apps.common.db import session_lock, take_lock
from apps.decisions.four_eyes import rules_of
from apps.decisions.kinds import (
    Accepted,
    Checked,
    Kind,
    Match,
    NotAccepted,
    Objection,
    Reading,
    hash_of,
    kind_of,
    payload_of,
)
from apps.decisions.models import Attempt, Command, ReadBack
from apps.decisions.workable import workable
from apps.jobs.wake import LONGEST_DELAY, wake
from apps.marketplaces.errors import ApiError, MissingRole, Permanent, Temporary, WrongCredentials
from apps.notifications.outbox import people_who_may, retell, tell
from apps.shops.audit import record
from apps.shops.clients import MissingKey
from apps.shops.models import is_stopped
from apps.shops.roles import Action

log = logging.getLogger(__name__)

State = Command.State
MAX_WRITES = 5
MAX_READS_BEFORE_RESEND = 3
MAX_READS = 30
MAX_FRUITLESS_TURNS = 10
LONGEST_BACKOFF = 10  # times the settle delay: ten minutes in a real shop
QUOTA_WAIT = timedelta(minutes=15)  # all sends together outlast the hour that the marketplace counts
LONGEST_RETRY_AFTER = timedelta(hours=1)
UNDONE = Objection("undone")


class LostLease(Exception):
    """Another worker has taken the command over; whatever this one wanted to write no longer counts."""


@dataclass(frozen=True)
class Lease:
    """The right to move one command until `deadline` on this process's monotonic clock."""

    command_id: int
    version: int
    deadline: float

    @property
    def has_time_for_a_call(self) -> bool:
        return time.monotonic() < self.deadline - settings.HTTP_DEADLINE_SECONDS


@dataclass(frozen=True)
class Turn:
    """One step of one command: everything the functions below need. `now` is business time."""

    command: Command
    lease: Lease
    now: datetime

    @property
    def kind(self) -> Kind:
        return kind_of(self.command)

    @property
    def payload(self) -> Any:
        return payload_of(self.command)


def run(command_id: int, *, now: datetime) -> Command | None:
    """Move a command one step. Returns it, or None when it is not due, finished, or in another worker's hands."""
    lease = _claim(command_id)
    if lease is None:
        return None
    command = Command.objects.select_related("shop__seller", "proposal").get(pk=command_id)
    try:
        _step(Turn(command, lease, now))
    except LostLease:
        log.warning("command %s: the lease was lost", command_id)
        return None
    command.refresh_from_db()
    return command


def _claim(command_id: int) -> Lease | None:
    seconds = settings.HTTP_DEADLINE_SECONDS + settings.LEASE_MARGIN_SECONDS
    started = time.monotonic()
    now = clock.real_now()
    with transaction.atomic(durable=True):
        command = workable().select_for_update(skip_locked=True).filter(pk=command_id).first()
        if command is None:
            return None
        if command.state != State.QUEUED:
            # Whatever the last step was doing when it died, only a read-back can tell what became of it.
            command.state = State.RECONCILING
        command.lease_version += 1
        command.lease_until = now + timedelta(seconds=seconds)
        command.save(update_fields=["state", "lease_version", "lease_until"])
    return Lease(command_id, command.lease_version, started + seconds)


def _step(turn: Turn) -> None:
    command = turn.command
    if command.lease_version - command.reads - command.writes > MAX_FRUITLESS_TURNS:
        # Turn after turn ended with an error that nobody foresaw, or with its worker.
        _end_unsent(turn, {"code": "fruitless"})
    elif changed := _changed(turn):
        _end_unsent(turn, changed.as_json())
    elif command.state == State.QUEUED:
        _send(turn)
    else:
        _read_back(turn)


def _send(turn: Turn) -> None:
    """From queued: look at the live value and the guardrails, commit the intent, make the call, note the outcome.

    The kill switches are held still meanwhile: turning one on waits for the call, and nothing is sent after. These are
    locks of the session, because no transaction may stay open over the call; see `switch.py` for the other side.
    """
    reading = _read(turn)
    if reading is None:
        return
    if reading.match is Match.TARGET:
        _verified(turn, reading)
        return
    shop_id = turn.command.shop_id
    with session_lock("sending", "all", shared=True) as free, session_lock("sending", shop_id, shared=True) as its_own:
        attempt = _intend(turn, reading) if free and its_own else _let_the_switch_turn(turn)
        outcome = _call(turn) if attempt and turn.lease.has_time_for_a_call else None
    if attempt and outcome:
        _note(turn, attempt, outcome)
    elif attempt:
        short = {"code": "lease", "message": "the lease ran short before the call"}
        _back_to_queue(turn, attempt, timedelta(0), short)


@transaction.atomic
def _let_the_switch_turn(turn: Turn) -> None:
    """Somebody is at a kill switch, and waits for the calls under way: at most their deadline."""
    _wait(turn, timedelta(seconds=settings.HTTP_DEADLINE_SECONDS))


def _intend(turn: Turn, reading: Reading) -> Attempt | None:
    """Commit "we are about to send", or end the command where a guardrail stands against it."""
    command = turn.command
    with transaction.atomic(durable=True):
        take_lock("decisions", command.shop_id)
        checked = _check(turn, reading)
        objection = checked.objection
        if objection == UNDONE and command.may_be_applied:
            # It is not sent again; what was sent may still arrive, and is waited for.
            _wait(turn, _backoff(command), state=State.UNKNOWN, reads=command.reads + 1, seen=dict(reading.value))
            return None
        if objection is not None and objection.until is not None:
            _wait(turn, objection.until - clock.real_now(), problem=objection.as_json(), seen=dict(reading.value))
            return None
        if objection is not None:
            _end_unsent(turn, objection.as_json())
            return None
        number = command.writes + 1
        _write(turn, state=State.SENDING, writes=number, sent_at=turn.now, seen=dict(reading.value))
        record("command.sending", shop=command.shop, subject=command, number=number)
        retell(f"proposal:{command.proposal_id}")
        return Attempt.objects.create(
            command=command,
            number=number,
            started_at=clock.real_now(),
            checks=list(checked.passed),
            request=dict(turn.kind.request(turn.payload)),
        )


def _check(turn: Turn, reading: Reading) -> Checked:
    command = turn.command
    objection = _stopped(command) or _changed(turn)
    if objection:
        return Checked(objection=objection)
    checked = turn.kind.check(command, turn.payload, now=turn.now, reading=reading)
    if checked.objection is None and reading.match is Match.OTHER:
        return Checked(objection=Objection("value_moved", dict(reading.value), is_stale=True))
    return checked


def _stopped(command: Command) -> Objection | None:
    """By the switch, or by whoever took it back meanwhile; both are asked for under the lock that we hold."""
    if Command.objects.filter(pk=command.pk).exclude(undo_by=None).exists():
        return UNDONE
    return Objection("stopped") if is_stopped(command.shop) else None


def _changed(turn: Turn) -> Objection | None:
    """The command is no longer what was approved, or would go to another account."""
    command = turn.command
    if hash_of(turn.payload) != command.payload_hash:
        return Objection("content_changed")
    return Objection("account_changed") if turn.kind.account(command.shop) != command.account else None


@transaction.atomic
def _end_unsent(turn: Turn, problem: dict[str, Any]) -> None:
    """It will not be sent now: nothing has happened, or an earlier send needs a person's eye."""
    _give_up(turn, State.NEEDS_HUMAN if turn.command.may_be_applied else State.CANCELLED, problem)


def _call(turn: Turn) -> Accepted | NotAccepted | ApiError:
    try:
        return turn.kind.send(turn.command.shop, turn.payload)
    except ApiError as error:
        log.warning("command %s: %s", turn.command.pk, error)
        return error


def _note(turn: Turn, attempt: Attempt, outcome: Accepted | NotAccepted | ApiError) -> None:
    """Write down what became of the call, and what follows."""
    match outcome:
        case Accepted(answer=answer):
            _sent(turn, attempt, State.SENT, Attempt.Outcome.ACCEPTED, dict(answer))
        case NotAccepted(is_quota=True):
            _back_to_queue(turn, attempt, QUOTA_WAIT, _as_json(outcome))
        case Temporary():
            wait = min(timedelta(seconds=outcome.retry_after or settings.SETTLE_SECONDS), LONGEST_RETRY_AFTER)
            _back_to_queue(turn, attempt, wait, _as_json(outcome))
        case WrongCredentials():
            _back_to_queue(turn, attempt, _key_wait(), _as_json(outcome))
        case NotAccepted() | Permanent():
            _refused(turn, attempt, _as_json(outcome))
        case _:
            _sent(turn, attempt, State.UNKNOWN, Attempt.Outcome.UNKNOWN, _as_json(outcome))


def _read_back(turn: Turn) -> None:
    """From sent, unknown or a dead send: the live value decides."""
    command = turn.command
    reading = _read(turn)
    if reading is None:
        return
    if reading.match is Match.TARGET:
        _verified(turn, reading)
        return
    with transaction.atomic():
        if reading.match is Match.OTHER:
            _give_up(turn, State.NEEDS_HUMAN, {"code": "third_value", "figures": dict(reading.value)})
        elif command.reads + 1 < MAX_READS_BEFORE_RESEND * (MAX_WRITES if command.undo_by_id else command.writes):
            # Not there yet: the marketplace may apply late.
            _wait(turn, _backoff(command), reads=command.reads + 1, seen=dict(reading.value))
        elif command.undo_by_id:
            _give_up(turn, State.CANCELLED, {"code": "undone_unapplied"})
        elif command.writes >= MAX_WRITES:
            _give_up(turn, State.NEEDS_HUMAN, {"code": "never_applied", "figures": {"sends": command.writes}})
        else:
            _wait(turn, timedelta(0), state=State.QUEUED, reads=command.reads + 1, seen=dict(reading.value))


def _read(turn: Turn) -> Reading | None:
    """The live value, or None when it cannot be had now: the command then waits, or ends with a person."""
    command = turn.command
    try:
        reading = turn.kind.read(command.shop, turn.payload)
    except WrongCredentials as error:
        with transaction.atomic():
            _wait(turn, _key_wait(), problem=_as_json(error))
    except (MissingRole, MissingKey) as error:
        _end_unsent(turn, _as_json(error))
    except ApiError as error:
        log.warning("command %s: %s", command.pk, error)
        with transaction.atomic():
            if command.reads + 1 >= MAX_READS:
                _give_up(turn, State.NEEDS_HUMAN, _as_json(error))
            else:
                _wait(turn, _backoff(command), reads=command.reads + 1, problem=_as_json(error))
    else:
        ReadBack.objects.create(command=command, at=turn.now, after_sends=command.writes, value=dict(reading.value))
        return reading
    return None


@transaction.atomic
def _verified(turn: Turn, reading: Reading) -> None:
    command, now = turn.command, turn.now
    rules = rules_of(command.shop)
    _write(
        turn,
        lease_until=None,
        state=State.VERIFIED,
        verified_at=now,
        finished_at=now,
        problem={},
        seen=dict(reading.value),
        undo_until=None if command.proposal.reverses_id else now + timedelta(minutes=rules.undo_minutes),
        look_at=now + timedelta(minutes=rules.drift_minutes),
    )
    turn.kind.record(command, turn.payload, now=now)
    record("command.verified", shop=command.shop, subject=command, sends=command.writes)
    retell(f"proposal:{command.proposal_id}")


@transaction.atomic
def _sent(turn: Turn, attempt: Attempt, state: State, outcome: Attempt.Outcome, answer: dict[str, Any]) -> None:
    _finish(attempt, outcome, answer)
    _wait(turn, timedelta(seconds=settings.SETTLE_SECONDS), state=state)


@transaction.atomic
def _refused(turn: Turn, attempt: Attempt, answer: dict[str, Any]) -> None:
    _finish(attempt, Attempt.Outcome.REJECTED, answer)
    _give_up(turn, State.REJECTED, answer)


@transaction.atomic
def _back_to_queue(turn: Turn, attempt: Attempt, delay: timedelta, answer: dict[str, Any]) -> None:
    """The send was certainly not applied: try again later, a bounded number of times."""
    _finish(attempt, Attempt.Outcome.NOT_APPLIED, answer)
    if attempt.number >= MAX_WRITES:
        _give_up(turn, State.NEEDS_HUMAN, answer)
    else:
        _wait(turn, delay, state=State.QUEUED, problem=answer)


def _finish(attempt: Attempt, outcome: Attempt.Outcome, answer: dict[str, Any]) -> None:
    attempt.outcome, attempt.answer, attempt.finished_at = outcome, answer, clock.real_now()
    attempt.save(update_fields=["outcome", "answer", "finished_at"])


def _wait(turn: Turn, delay: timedelta, **fields: Any) -> None:
    """Let the command rest for `delay`; the wake is a courtesy, the sweep finds it too."""
    _write(turn, lease_until=None, due_at=clock.real_now() + delay, **fields)
    retell(f"proposal:{turn.command.proposal_id}")
    if delay <= LONGEST_DELAY:
        wake("commands.run", turn.command.pk, delay=delay)


def _give_up(turn: Turn, state: State, problem: dict[str, Any]) -> None:
    """End the command without a change we can vouch for, and tell those who approve."""
    command = turn.command
    _write(turn, lease_until=None, state=state, finished_at=turn.now, problem=problem)
    record(f"command.{state}", shop=command.shop, subject=command, **problem)
    retell(f"proposal:{command.proposal_id}")
    tell(
        name="command_ended",
        key=f"command_ended:{command.pk}",
        seller=command.shop.seller,
        people=people_who_may(command.shop.seller, Action.APPROVE),
        params={"command": command.pk},
    )


def _write(turn: Turn, **fields: Any) -> None:
    """Change the command's row, unless its lease has gone to another worker."""
    if not Command.objects.filter(pk=turn.command.pk, lease_version=turn.lease.version).update(**fields):
        raise LostLease(turn.command.pk)


def _backoff(command: Command) -> timedelta:
    """From the settle delay, twice as long after each read, up to `LONGEST_BACKOFF`."""
    return timedelta(seconds=settings.SETTLE_SECONDS * min(2.0**command.reads, LONGEST_BACKOFF))


def _key_wait() -> timedelta:
    """Nothing happened, and nothing is asked before the key is taken again (`workable`); then it goes on at once."""
    return timedelta(seconds=settings.SETTLE_SECONDS)


def _as_json(outcome: NotAccepted | ApiError | MissingKey) -> dict[str, Any]:
    if isinstance(outcome, NotAccepted):
        return {"code": outcome.code, "message": outcome.message}
    code = "WrongCredentials" if isinstance(outcome, WrongCredentials) else type(outcome).__name__
    return {"code": code, "message": str(outcome)}
