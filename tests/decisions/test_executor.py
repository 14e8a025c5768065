"""Carrying out a command: whatever goes wrong, one change, and the story complete."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from apps.common.clock import real_now
from apps.decisions import executor
from apps.decisions.kinds import Accepted, NotAccepted, Objection
from apps.decisions.models import Attempt, Command
from apps.decisions.sweeper import sweep
from apps.decisions.words import say
from apps.marketplaces.errors import MissingRole, Permanent, Temporary, Unclear, WrongCredentials
from apps.notifications.models import OutboxMessage
from apps.shops.clients import MissingKey
from apps.shops.models import AuditEntry, Credential
from tests.decisions.markets import NOON, Market, Setting, step, steps

pytestmark = pytest.mark.django_db

State = Command.State


def fail_with(*failures: Exception | None, after_applying: bool = False, market: Market) -> None:
    """The next sends raise these, one each; None lets a send through."""
    waiting = list(failures)

    def on_send(payload: Setting) -> None:
        failure = waiting.pop(0) if waiting else None
        if failure and after_applying:
            market.values[payload.name] = payload.value
        if failure:
            raise failure

    market.on_send = on_send


def unclear() -> Unclear:
    return Unclear("Market", "/set", "no answer")


def test_a_send_is_only_sent_and_a_read_back_makes_it_verified(command: Command, market: Market) -> None:
    sent = step(command)
    assert (sent.state, sent.writes) == (State.SENT, 1)
    assert not market.recorded

    verified = step(sent)
    assert (verified.state, verified.verified_at) == (State.VERIFIED, NOON)
    assert market.sends == [("tea", 110)]
    assert market.recorded == ["tea"]


def test_the_story_keeps_what_was_sent_checked_and_read(command: Command, market: Market) -> None:
    steps(command)

    attempt = command.attempts.get()
    assert attempt.request == {"set": "tea", "to": 110}
    assert attempt.checks == [{"code": "calm", "figures": {"live": 100}}]
    assert [(read.after_sends, read.value) for read in command.read_backs.all()] == [
        (0, {"value": 100}),
        (1, {"value": 110}),
    ]


def test_what_was_to_be_sent_is_known_of_a_call_that_broke_off(command: Command, market: Market) -> None:
    fail_with(unclear(), market=market)

    step(command)

    assert command.attempts.get().request == {"set": "tea", "to": 110}


def test_the_first_read_back_waits_for_the_marketplace_to_settle(command: Command, market: Market) -> None:
    before = real_now()
    sent = step(command)

    assert sent.due_at - before >= timedelta(seconds=settings.SETTLE_SECONDS)
    assert executor.run(command.pk, now=NOON) is None
    assert sent.lease_until is None


@pytest.mark.parametrize("applied", [True, False])
def test_an_unclear_answer_is_read_back_and_never_sent_blindly(command: Command, market: Market, applied: bool) -> None:
    fail_with(unclear(), after_applying=applied, market=market)

    unknown = step(command)
    assert unknown.state == State.UNKNOWN
    verified = steps(unknown)

    assert verified.state == State.VERIFIED
    assert len(market.sends) == (1 if applied else 2)
    assert market.values == {"tea": 110}


def test_accepted_but_never_applied_ends_with_a_person(command: Command, market: Market) -> None:
    market.on_send = lambda payload: Accepted({"updated": True})

    ended = steps(command)

    assert ended.state == State.NEEDS_HUMAN
    assert ended.problem["code"] == "never_applied"
    assert len(market.sends) == executor.MAX_WRITES
    assert market.values == {"tea": 100}


def test_a_late_application_is_waited_for(command: Command, market: Market) -> None:
    market.on_send = lambda payload: Accepted({"updated": True})
    sent = step(command)
    waiting = step(sent)
    assert waiting.state in Command.LIVE
    market.values["tea"] = 110

    assert step(waiting).state == State.VERIFIED
    assert len(market.sends) == 1


def test_a_third_value_stops_before_the_send(command: Command, market: Market) -> None:
    market.values["tea"] = 77

    ended = step(command)

    assert (ended.state, ended.problem["code"]) == (State.CANCELLED, "value_moved")
    assert not market.sends


def test_a_third_value_after_a_send_needs_a_person(command: Command, market: Market) -> None:
    sent = step(command)
    market.values["tea"] = 77

    ended = step(sent)

    assert (ended.state, ended.problem["code"]) == (State.NEEDS_HUMAN, "third_value")


def test_a_value_that_is_there_already_is_not_sent(command: Command, market: Market) -> None:
    market.values["tea"] = 110

    assert step(command).state == State.VERIFIED
    assert not market.sends


def test_a_refusal_is_final_and_keeps_the_marketplaces_words(command: Command, market: Market) -> None:
    market.on_send = lambda payload: NotAccepted("price_negative", "price must be above zero")

    ended = step(command)

    assert ended.state == State.REJECTED
    assert ended.problem == {"code": "price_negative", "message": "price must be above zero"}
    assert Attempt.objects.get().outcome == Attempt.Outcome.REJECTED


def test_a_used_up_quota_waits_and_its_tries_outlast_the_hour(command: Command, market: Market) -> None:
    market.on_send = lambda payload: NotAccepted("", "limit exceeded", is_quota=True)
    queued = step(command)
    assert queued.state == State.QUEUED
    assert (queued.due_at - real_now()) * (executor.MAX_WRITES - 1) > timedelta(minutes=59)

    market.on_send = None
    assert steps(queued).state == State.VERIFIED


@pytest.mark.parametrize("sent_before", [False, True])
def test_an_objection_that_ends_is_waited_for_to_the_minute(
    command: Command, market: Market, sent_before: bool
) -> None:
    if sent_before:
        fail_with(Temporary("Market", "/set", "slow down", 429), market=market)
        command = step(command)
    until = real_now() + timedelta(minutes=25)
    market.objection = Objection("quota_used", {"updates": 8}, until=until)

    waiting = step(command)

    assert (waiting.state, waiting.problem["code"]) == (State.QUEUED, "quota_used")
    assert abs(waiting.due_at - until) < timedelta(seconds=5)
    assert waiting.lease_until is None
    assert len(market.sends) == sent_before
    assert not OutboxMessage.objects.filter(name="command_ended").exists()

    market.objection = None
    assert steps(waiting).state == State.VERIFIED


@pytest.mark.parametrize("seconds", [120.0, 1800.0])
def test_too_many_requests_wait_as_long_as_they_are_told(command: Command, market: Market, seconds: float) -> None:
    fail_with(Temporary("Market", "/set", "slow down", 429, seconds), market=market)

    queued = step(command)

    assert queued.state == State.QUEUED
    assert queued.due_at > real_now() + timedelta(seconds=seconds - 10)
    assert Attempt.objects.get().outcome == Attempt.Outcome.NOT_APPLIED
    assert steps(queued).state == State.VERIFIED


def test_certain_failures_end_after_a_few_sends(command: Command, market: Market) -> None:
    fail_with(*[Temporary("Market", "/set", "slow down", 429)] * 9, market=market)

    assert steps(command).state == State.NEEDS_HUMAN
    assert len(market.sends) == executor.MAX_WRITES


def test_a_permanent_refusal_of_the_call_is_final(command: Command, market: Market) -> None:
    fail_with(Permanent("Market", "/set", "no such method", 404), market=market)

    assert step(command).state == State.REJECTED


@pytest.mark.parametrize("sent_before", [False, True])
def test_a_refused_key_leaves_it_waiting(command: Command, market: Market, sent_before: bool) -> None:
    if sent_before:
        command = step(command)

    def refuse(payload: Setting) -> None:
        raise WrongCredentials("Market", "/get", "Invalid Api-Key", 403)

    market.on_read = refuse
    waiting = step(command)

    assert waiting.state == (State.RECONCILING if sent_before else State.QUEUED)
    assert "The marketplace refuses the shop's key" in say(waiting.problem, kind="value", currency="RUB")
    assert not OutboxMessage.objects.exists()
    market.on_read = None
    assert steps(waiting).state == State.VERIFIED


def test_a_key_refused_at_the_send_leaves_it_waiting(command: Command, market: Market) -> None:
    fail_with(WrongCredentials("Market", "/set", "Invalid Api-Key", 403), market=market)

    waiting = step(command)

    assert waiting.state == State.QUEUED
    assert Attempt.objects.get().outcome == Attempt.Outcome.NOT_APPLIED
    assert steps(waiting).state == State.VERIFIED


def test_while_the_key_of_its_account_is_refused_nobody_takes_it_up(command: Command, market: Market) -> None:
    Credential.objects.update(is_refused=True, client_id=command.account)
    assert executor.run(command.pk, now=NOON) is None
    assert sweep() == 0

    Credential.objects.update(client_id="another account's")
    assert sweep() == 1

    Credential.objects.update(is_refused=False, client_id=command.account)
    assert sweep() == 1
    assert steps(command).state == State.VERIFIED


def test_a_key_without_the_role_ends_it_in_the_marketplaces_words(command: Command, market: Market) -> None:
    fail_with(MissingRole("Market", "/set", "Api-Key is missing a required role", 403), market=market)

    ended = step(command)

    assert ended.state == State.REJECTED
    assert "missing a required role" in say(ended.problem, kind="value", currency="RUB")


def test_a_missing_key_ends_it_in_words(command: Command, market: Market) -> None:
    def no_key(payload: Setting) -> None:
        raise MissingKey("The shop “Shelf” has no key.")

    market.on_read = no_key
    ended = step(command)

    assert (ended.state, say(ended.problem, kind="value", currency="RUB")) == (
        State.CANCELLED,
        "The shop “Shelf” has no key.",
    )


def test_a_defect_does_not_keep_a_command_going_for_ever(command: Command, market: Market) -> None:
    def broken(payload: Setting) -> None:
        raise ZeroDivisionError

    market.on_read = broken
    for _ in range(executor.MAX_FRUITLESS_TURNS):
        with pytest.raises(ZeroDivisionError):
            step(command)
        Command.objects.filter(pk=command.pk).update(lease_until=None)
    ended = step(command)

    assert (ended.state, ended.problem) == (State.CANCELLED, {"code": "fruitless"})
    assert OutboxMessage.objects.get().name == "command_ended"


def test_a_marketplace_that_cannot_be_read_is_asked_again_later_and_longer(command: Command, market: Market) -> None:
    def unreachable(payload: Setting) -> None:
        raise Temporary("Market", "/get", "bad gateway", 502)

    market.on_read = unreachable
    waits = []
    for _ in range(3):
        command = step(command)
        waits.append(command.due_at - real_now())
    assert waits == sorted(waits)
    assert command.state == State.QUEUED

    market.on_read = None
    assert steps(command).state == State.VERIFIED


def test_a_marketplace_that_stays_unreadable_needs_a_person(command: Command, market: Market) -> None:
    def unreachable(payload: Setting) -> None:
        raise Temporary("Market", "/get", "bad gateway", 502)

    market.on_read = unreachable

    assert steps(command).state == State.NEEDS_HUMAN


def test_a_guardrail_right_before_the_send_stops_it(command: Command, market: Market) -> None:
    market.objection = Objection("below_floor", {"floor": "105"})

    ended = step(command)

    assert (ended.state, ended.problem) == (State.CANCELLED, {"code": "below_floor", "figures": {"floor": "105"}})
    assert not market.sends
    assert not Attempt.objects.exists()


def test_another_account_than_the_approved_one_is_not_written_to(command: Command, market: Market) -> None:
    market.account = "999"
    del market.values["tea"]  # the other account does not have it

    assert step(command).problem["code"] == "account_changed"
    assert not market.sends


def test_content_that_was_tampered_with_is_not_sent(command: Command, market: Market) -> None:
    Command.objects.filter(pk=command.pk).update(payload={"name": "tea", "value": 1, "was": 100})

    assert step(command).problem["code"] == "content_changed"
    assert not market.sends


def test_a_command_in_another_workers_hands_is_left_alone(command: Command, market: Market) -> None:
    Command.objects.filter(pk=command.pk).update(lease_until=real_now() + timedelta(minutes=1))

    assert executor.run(command.pk, now=NOON) is None
    assert not market.sends


def test_a_dead_workers_send_is_read_back_before_anything_else(command: Command, market: Market) -> None:
    past = real_now() - timedelta(seconds=1)
    Command.objects.filter(pk=command.pk).update(state=State.SENDING, writes=1, lease_until=past)
    market.values["tea"] = 110

    assert step(command).state == State.VERIFIED
    assert not market.sends


def test_a_worker_that_lost_its_lease_changes_nothing(command: Command, market: Market) -> None:
    def frozen(payload: Setting) -> None:
        Command.objects.filter(pk=command.pk).update(lease_version=command.lease_version + 7)

    market.on_read = frozen
    assert executor.run(command.pk, now=NOON) is None

    command.refresh_from_db()
    assert command.state == State.QUEUED
    assert not market.sends


def test_a_lease_without_time_for_a_call_makes_none(
    command: Command, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor.Lease, "has_time_for_a_call", False)

    queued = step(command)

    assert (queued.state, queued.writes) == (State.QUEUED, 1)
    assert not market.sends


def test_a_finished_command_does_not_move(command: Command, market: Market) -> None:
    steps(command)

    assert executor.run(command.pk, now=NOON) is None


def test_the_story_is_in_the_audit_trail(command: Command, market: Market) -> None:
    fail_with(unclear(), market=market)
    steps(command)

    actions = list(
        AuditEntry.objects.filter(action__startswith="command.").order_by("id").values_list("action", flat=True)
    )
    assert actions == ["command.queued", "command.sending", "command.sending", "command.verified"]
    assert [attempt.outcome for attempt in command.attempts.all()] == ["unknown", "accepted"]


def test_the_sweep_wakes_what_nobody_moves(command: Command, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr("apps.decisions.sweeper.wake", lambda name, command_id: woken.append(command_id))
    assert sweep() == 1

    Command.objects.filter(pk=command.pk).update(lease_until=real_now() + timedelta(minutes=1))
    assert sweep() == 0
    Command.objects.filter(pk=command.pk).update(lease_until=real_now() - timedelta(minutes=1))
    assert sweep() == 1
    Command.objects.filter(pk=command.pk).update(state=State.VERIFIED)
    assert sweep() == 0
    assert woken == [command.pk, command.pk]
