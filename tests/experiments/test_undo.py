"""Undoing a change for some minutes: before it is sent, while it is under way, and after it has arrived."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from apps.common.clock import real_now
from apps.common.errors import Denied, NotFound, Refused
from apps.decisions import executor
from apps.decisions.approval import Objected, approve
from apps.decisions.kinds import Accepted, NotAccepted, Objection, payload_of
from apps.decisions.models import Attempt, Command, DecisionRules, Proposal
from apps.decisions.undo import close_windows
from apps.experiments.lifecycle import AlreadyOver, roll_back, start_after, start_missing, undo
from apps.experiments.models import Experiment
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import tell
from apps.shops.models import AuditEntry, KillSwitch, Member
from apps.shops.roles import Role
from tests.cast import anna, boris, member
from tests.decisions.markets import NOON, Market, Setting, market, offer, step, steps
from tests.experiments.test_lifecycle import carried_out, end, started, state_of
from tests.inventory.shelf import Shelf
from tests.reports.rows import NOW
from tests.threads import at_once

__all__ = ["market"]

pytestmark = pytest.mark.django_db

State = Command.State
SOON, LATE = NOON + timedelta(minutes=9), NOON + timedelta(minutes=10)


@pytest.fixture
def owner() -> Member:
    return anna()


def approved(owner: Member) -> Command:
    proposal = offer(owner.seller.shops.get())
    command = approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON)
    assert command is not None
    return command


def pressed(command: Command, by: Member, **options: Any) -> Command | None:
    return undo(command_id=command.pk, by=by, **{"now": SOON, **options})


def after(command: Command) -> Command:
    """What the task that ran it does next."""
    command.refresh_from_db()
    start_after(command=command, now=NOON)
    return command


class TestNotYetSent:
    def test_it_is_never_sent(self, owner: Member, market: Market) -> None:
        command = approved(owner)

        assert pressed(command, owner) is None

        command.refresh_from_db()
        assert (command.state, command.undo_by) == (State.CANCELLED, owner)
        assert not Proposal.objects.exclude(reverses=None).exists()
        assert market.sends == []

    def test_a_worker_that_has_it_in_hand_sends_nothing_any_more(self, owner: Member, market: Market) -> None:
        """The worker has read the live value, and asks the gate a last time before the call."""
        command = approved(owner)

        def somebody_presses(_payload: Setting) -> None:
            pressed(command, owner)

        market.on_read = somebody_presses

        ended = step(command)

        assert (ended.state, ended.problem["code"], market.sends) == (State.CANCELLED, "undone", [])

    def test_what_the_marketplace_would_not_take_yet_is_never_sent_again(self, owner: Member, market: Market) -> None:
        """Its quota is used up: the send has certainly changed nothing, and waits to be repeated."""
        market.on_send = lambda _payload: NotAccepted("LIMIT", "later", is_quota=True)
        command = step(approved(owner))
        assert (command.state, command.writes) == (State.QUEUED, 1)

        pressed(command, owner)

        command.refresh_from_db()
        assert (command.state, command.problem, len(market.sends)) == (State.CANCELLED, {"code": "undone"}, 1)

    def test_a_send_that_may_have_been_applied_is_no_unsent_one(self, owner: Member, market: Market) -> None:
        command = approved(owner)
        Command.objects.update(writes=1)
        Attempt.objects.create(command=command, number=1, started_at=NOON)

        pressed(command, owner)

        command.refresh_from_db()
        assert (command.state, command.undo_by) == (State.QUEUED, owner)


class TestUnderWay:
    @pytest.fixture
    def sent(self, owner: Member, market: Market) -> Command:
        market.on_send = lambda _payload: Accepted({})
        command = step(approved(owner))
        assert command.state == State.SENT
        return command

    def test_the_way_back_follows_when_it_has_arrived(self, sent: Command, owner: Member, market: Market) -> None:
        assert pressed(sent, owner) is None
        assert not Command.objects.exclude(pk=sent.pk).exists()
        market.values["tea"] = 110
        market.on_send = None

        after(steps(sent))
        after(sent)
        start_missing(now=NOON)

        back = Command.objects.exclude(pk=sent.pk).get()
        assert (payload_of(back).value, back.proposal.reverses) == (100, sent)
        assert steps(back).state == State.VERIFIED
        assert market.values["tea"] == 100

    def test_a_send_that_came_to_nothing_is_watched_and_not_repeated(
        self, sent: Command, owner: Member, market: Market
    ) -> None:
        while sent.state != State.QUEUED:  # read back so often that it would be sent again
            sent = step(sent)
        pressed(sent, owner)

        ended = after(steps(sent))

        assert (ended.state, ended.problem) == (State.CANCELLED, {"code": "undone_unapplied"})
        assert (ended.writes, market.sends) == (1, [("tea", 110)])
        assert ended.reads == executor.MAX_READS_BEFORE_RESEND * executor.MAX_WRITES - 1
        assert not Command.objects.exclude(pk=sent.pk).exists()

    def test_a_send_that_arrives_late_is_noticed_and_goes_back(
        self, sent: Command, owner: Member, market: Market
    ) -> None:
        while sent.state != State.QUEUED:
            sent = step(sent)
        pressed(sent, owner)
        assert step(step(sent)).state in Command.LIVE
        market.values["tea"] = 110
        market.on_send = None

        after(steps(sent))

        back = Command.objects.exclude(pk=sent.pk).get()
        assert steps(back).state == State.VERIFIED
        assert market.values["tea"] == 100

    def test_somebody_elses_value_meanwhile_needs_a_person(self, sent: Command, owner: Member, market: Market) -> None:
        while sent.state != State.QUEUED:
            sent = step(sent)
        pressed(sent, owner)
        market.values["tea"] = 105

        assert after(steps(sent)).state == State.NEEDS_HUMAN

    def test_what_was_refused_needs_no_way_back(self, sent: Command, owner: Member, market: Market) -> None:
        pressed(sent, owner)
        market.values["tea"] = 105

        assert after(steps(sent)).state == State.NEEDS_HUMAN

        assert not Command.objects.exclude(pk=sent.pk).exists()

    def test_what_stands_against_it_is_kept_and_it_may_be_pressed_again(
        self, sent: Command, owner: Member, market: Market
    ) -> None:
        pressed(sent, owner)
        market.values["tea"] = 110
        market.objection = Objection("quota_used")

        after(steps(sent))

        sent.refresh_from_db()
        assert (sent.undo_by, sent.undo_problem) == (None, {"code": "quota_used", "figures": {}})
        market.objection = None
        assert pressed(sent, owner) is not None

    def test_who_lost_the_right_meanwhile_undoes_nothing(self, sent: Command, owner: Member, market: Market) -> None:
        olga = member(owner.seller, "Olga", Role.APPROVER)
        pressed(sent, olga)
        market.values["tea"] = 110
        Member.objects.filter(pk=olga.pk).update(role=Role.VIEWER)

        after(steps(sent))

        sent.refresh_from_db()
        assert sent.undo_problem == {"code": "undo_denied"}
        assert not Command.objects.exclude(pk=sent.pk).exists()


class TestArrived:
    @pytest.fixture
    def verified(self, owner: Member, market: Market) -> Command:
        return after(steps(approved(owner)))

    def test_the_old_value_goes_through_the_gate_at_once(
        self, verified: Command, owner: Member, market: Market
    ) -> None:
        back = pressed(verified, owner)

        assert back is not None
        assert (back.state, payload_of(back).value, back.proposal.reverses) == (State.QUEUED, 100, verified)
        assert back.proposal.approvals.get().member == owner
        assert steps(back).state == State.VERIFIED
        assert market.values["tea"] == 100

    def test_after_ten_minutes_it_is_too_late(self, verified: Command, owner: Member) -> None:
        with pytest.raises(Refused, match="too late to undo"):
            pressed(verified, owner, now=LATE)
        assert Command.objects.count() == 1

    def test_how_long_is_the_shops_to_say(self, owner: Member, market: Market) -> None:
        DecisionRules.objects.create(shop=owner.seller.shops.get(), undo_minutes=30)
        assert pressed(after(steps(approved(owner))), owner, now=LATE) is not None

    def test_a_second_press_is_told_who_was_first(self, verified: Command, owner: Member) -> None:
        pressed(verified, owner)
        with pytest.raises(Refused, match="Already undone by Anna"):
            pressed(verified, member(owner.seller, "Olga", Role.APPROVER))

    def test_the_way_back_itself_is_not_undone(self, verified: Command, owner: Member, market: Market) -> None:
        back = pressed(verified, owner)
        assert back is not None
        with pytest.raises(Refused, match="the way back itself"):
            pressed(steps(back), owner)

    def test_a_guardrail_that_stands_against_it_leaves_all_as_it_is(
        self, verified: Command, owner: Member, market: Market
    ) -> None:
        market.objection = Objection("stopped")
        with pytest.raises(Objected):
            pressed(verified, owner)
        verified.refresh_from_db()
        assert verified.undo_by is None

    @pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
    def test_who_may_not_approve_may_not_undo(self, verified: Command, owner: Member, role: Role) -> None:
        with pytest.raises(Denied):
            pressed(verified, member(owner.seller, "Vera", role))

    def test_another_sellers_change_is_not_found(self, verified: Command) -> None:
        with pytest.raises(NotFound):
            pressed(verified, boris())

    def test_the_button_goes_when_its_time_is_over(self, verified: Command, owner: Member) -> None:
        subject = f"proposal:{verified.proposal_id}"
        tell(name="card", key="k", seller=owner.seller, people=[owner.person], params={}, subject=subject)

        assert close_windows(now=SOON) == 0
        assert close_windows(now=LATE) == 1
        assert close_windows(now=LATE) == 0

        assert OutboxMessage.objects.get().wanted == 2


class TestItsExperiment:
    @pytest.fixture
    def shelf(self, owner: Member) -> Shelf:
        shelf = Shelf(owner.seller.shops.get())
        shelf.synced()
        return shelf

    @pytest.fixture
    def changed(self, shelf: Shelf, owner: Member) -> Command:
        return carried_out(shelf.product(), owner, undo_until=NOW + timedelta(minutes=10))

    def test_it_ends_as_undone(self, changed: Command, owner: Member) -> None:
        experiment = started(changed)

        back = undo(command_id=changed.pk, by=owner, now=NOW)
        assert back is not None
        assert state_of(experiment) == Experiment.State.ROLLING_BACK
        start_after(command=end(back, "verified"), now=NOW)

        experiment.refresh_from_db()
        assert (experiment.state, experiment.void_reason) == (Experiment.State.VOID, "undone")

    def test_one_that_has_not_started_yet_ends_so_too(self, changed: Command, owner: Member) -> None:
        back = undo(command_id=changed.pk, by=owner, now=NOW)
        assert back is not None
        start_after(command=changed, now=NOW)
        start_after(command=end(back, "verified"), now=NOW)

        assert Experiment.objects.get().void_reason == "undone"

    def test_one_that_was_decided_on_is_not_undone(self, changed: Command, owner: Member) -> None:
        experiment = started(changed)
        roll_back(experiment_id=experiment.pk, by=owner, now=NOW)

        with pytest.raises(AlreadyOver, match="being rolled back"):
            undo(command_id=changed.pk, by=owner, now=NOW)

    @pytest.mark.parametrize("state", ["needs_human", "rejected", "cancelled"])
    def test_a_way_back_that_fails_leaves_the_decision_open(self, changed: Command, owner: Member, state: str) -> None:
        experiment = started(changed)
        back = undo(command_id=changed.pk, by=owner, now=NOW)
        assert back is not None
        end(back, state)

        start_missing(now=NOW)

        assert state_of(experiment) == Experiment.State.RUNNING
        changed.refresh_from_db()
        assert (changed.undo_by, changed.undo_problem) == (None, {"code": "undo_failed"})
        assert AuditEntry.objects.filter(action="command.undo_failed").count() == 1
        again = roll_back(experiment_id=experiment.pk, by=owner, now=NOW)
        assert again is not None
        start_after(command=end(again, "verified"), now=NOW)
        assert state_of(experiment) == Experiment.State.ROLLED_BACK

    def test_under_a_kill_switch_nothing_is_undone(self, changed: Command, owner: Member) -> None:
        experiment = started(changed)
        KillSwitch.objects.create(shop=changed.shop, is_on=True)

        with pytest.raises(Objected, match="stopped by its switch"):
            undo(command_id=changed.pk, by=owner, now=NOW)

        assert state_of(experiment) == Experiment.State.RUNNING


@pytest.mark.django_db(transaction=True)
def test_of_eight_presses_at_once_one_undoes(market: Market) -> None:
    owner = anna()
    olga = member(owner.seller, "Olga", Role.APPROVER)
    command = steps(approved(owner))

    results = at_once(*[lambda by=by: pressed(command, by) for by in [owner, olga] * 4])

    assert sum(isinstance(result, Command) for result in results) == 1
    assert Command.objects.exclude(pk=command.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_undo_and_a_send_at_once_never_leave_the_new_value(market: Market) -> None:
    owner = anna()
    for _ in range(5):
        command = approved(owner)

        at_once(partial(pressed, command, owner), partial(executor.run, command.pk, now=NOON))

        Command.objects.filter(pk=command.pk).update(due_at=real_now(), lease_until=None)
        command.refresh_from_db()
        if command.state in Command.LIVE:
            after(steps(command))
        for back in Command.objects.filter(state__in=Command.LIVE):
            steps(back)
        assert market.values["tea"] == 100
