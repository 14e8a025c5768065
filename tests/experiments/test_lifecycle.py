"""The life of an experiment: started once, decided once by somebody who may, undone through the gate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from apps.catalog.models import Cost, Product
from apps.common.errors import Denied, NotFound, Refused
from apps.decisions.approval import Objected
from apps.decisions.kinds import kind_of, payload_of
from apps.decisions.models import Command, Proposal
from apps.experiments import lifecycle
from apps.experiments.lifecycle import AlreadyOver, extend, keep, roll_back, start_after, start_missing, stop
from apps.experiments.models import Experiment
from apps.experiments.review import ECONOMICS
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import tell
from apps.shops.models import AuditEntry, KillSwitch, Member
from apps.shops.roles import Role
from tests.cast import boris, member
from tests.inventory.shelf import TODAY, Shelf
from tests.reports import rows
from tests.reports.rows import NOW
from tests.threads import at_once

pytestmark = pytest.mark.django_db

State = Experiment.State
D = Decimal
TOMORROW = NOW + timedelta(days=1)
Decision = Callable[..., object]
DECISIONS: tuple[Decision, ...] = (keep, extend, roll_back)


@pytest.fixture
def command(shelf: Shelf, owner: Member) -> Command:
    return carried_out(shelf.product(), owner)


@pytest.fixture
def experiment(command: Command) -> Experiment:
    """Running, from 1000 to 1090."""
    return started(command)


@pytest.fixture
def judged(experiment: Experiment) -> Experiment:
    return judge(experiment)


def carried_out(product: Product, by: Member, **columns: Any) -> Command:
    """A change to 1090 that `by` approved, which was read back and written down."""
    done = rows.command(rows.decided(rows.proposal(product), by), state="verified", **columns)
    record(done)
    return done


def record(command: Command) -> None:
    kind_of(command).record(command, payload_of(command), now=NOW)


def started(command: Command) -> Experiment:
    experiment = start_after(command=command, now=NOW)
    assert experiment is not None
    return experiment


def judge(experiment: Experiment) -> Experiment:
    rows.verdict(experiment, as_of=experiment.ends_on + timedelta(days=1))
    experiment.state = State.JUDGED
    experiment.save()
    return experiment


def rolling_back(experiment: Experiment, by: Member) -> Command:
    command = roll_back(experiment_id=experiment.pk, by=by, now=NOW)
    assert command is not None
    return command


def end(command: Command, state: str) -> Command:
    command.state, command.verified_at = state, NOW if state == "verified" else None
    command.save()
    return command


def state_of(experiment: Experiment) -> str:
    return Experiment.objects.get(pk=experiment.pk).state


def times_recorded(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def card(subject: str, to: Member) -> OutboxMessage:
    tell(name="card", key=subject, seller=to.seller, people=[to.person], params={}, subject=subject)
    return OutboxMessage.objects.get(subject=subject)


def is_to_be_edited(message: OutboxMessage) -> bool:
    message.refresh_from_db()
    return message.wanted > 1


class TestStarting:
    def test_a_verified_change_is_measured_from_the_next_day_on(self, command: Command) -> None:
        experiment = started(command)

        assert (experiment.state, experiment.command, experiment.product_id) == (
            "running",
            command,
            command.payload["product_id"],
        )
        assert (experiment.starts_on, experiment.days) == (TODAY + timedelta(days=1), 7)
        assert (experiment.price_from, experiment.price_to, experiment.currency) == (1000, 1090, "RUB")
        economics = ECONOMICS.validate_python(experiment.economics)
        assert (economics.price_from, economics.price_to, economics.cost) == (D(1000), D(1090), D(500))
        assert AuditEntry.objects.get(action="experiment.started").data == {"command": command.pk}

    def test_the_next_day_is_that_of_the_shop(self, shelf: Shelf, owner: Member) -> None:
        late = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)  # half past midnight in Moscow
        assert started(carried_out(shelf.product(), owner, verified_at=late)).starts_on == date(2026, 3, 4)

    def test_the_card_is_to_say_that_it_is_measured(self, command: Command, owner: Member) -> None:
        message = card(f"proposal:{command.proposal_id}", owner)

        started(command)

        assert is_to_be_edited(message)

    @pytest.mark.parametrize("state", [state for state in Command.State if state != Command.State.VERIFIED])
    def test_nothing_but_a_verified_change_starts_one(self, command: Command, state: str) -> None:
        assert start_after(command=end(command, state), now=NOW) is None
        assert not Experiment.objects.exists()

    def test_what_cannot_be_counted_is_not_measured(self, command: Command) -> None:
        Cost.objects.all().delete()
        assert start_after(command=command, now=NOW) is None
        assert not Experiment.objects.exists()

    def test_twice_does_no_harm(self, command: Command) -> None:
        first = started(command)

        assert started(command) == first

        assert (state_of(first), times_recorded("experiment.started")) == ("running", 1)

    @pytest.mark.parametrize("state", ["kept", "rolled_back", "void"])
    def test_one_that_has_ended_does_not_start_again(self, experiment: Experiment, state: str) -> None:
        Experiment.objects.update(state=state)

        assert started(experiment.command) == experiment

        assert state_of(experiment) == state


class TestALaterChange:
    @pytest.fixture
    def later(self, experiment: Experiment, owner: Member) -> Command:
        return carried_out(experiment.product, owner)

    @pytest.mark.parametrize("state", ["running", "judged"])
    def test_it_makes_the_earlier_experiment_void(
        self, experiment: Experiment, later: Command, owner: Member, state: str
    ) -> None:
        Experiment.objects.update(state=state)
        message = card(f"experiment:{experiment.pk}", owner)

        assert started(later).state == State.RUNNING

        experiment.refresh_from_db()
        assert (experiment.state, experiment.void_reason) == (State.VOID, "price_changed")
        assert AuditEntry.objects.get(action="experiment.void").data == {"reason": "price_changed"}
        assert is_to_be_edited(message)

    def test_it_leaves_one_that_was_decided_on_as_it_is(self, experiment: Experiment, later: Command) -> None:
        Experiment.objects.update(state=State.KEPT)
        started(later)
        assert state_of(experiment) == State.KEPT

    def test_it_leaves_other_products_alone(self, experiment: Experiment, shelf: Shelf, owner: Member) -> None:
        started(carried_out(shelf.product(), owner))
        assert state_of(experiment) == State.RUNNING

    def test_the_earlier_one_asked_for_again_does_not_end_the_later(
        self, experiment: Experiment, later: Command
    ) -> None:
        newest = started(later)

        assert started(experiment.command) == experiment

        assert (state_of(experiment), state_of(newest)) == (State.VOID, State.RUNNING)

    def test_an_earlier_change_that_comes_late_is_void_from_the_start(self, shelf: Shelf, owner: Member) -> None:
        product = shelf.product()
        earlier, later = carried_out(product, owner), carried_out(product, owner)
        newest = started(later)

        overtaken = started(earlier)

        assert (overtaken.state, overtaken.void_reason) == (State.VOID, "price_changed")
        assert state_of(newest) == State.RUNNING
        assert times_recorded("experiment.void") == 1


def test_one_that_was_decided_on_meanwhile_is_not_made_void(judged: Experiment, owner: Member) -> None:
    keep(experiment_id=judged.pk, by=owner, now=NOW)

    assert not lifecycle.void(experiment=judged, reason="archived")

    assert state_of(judged) == State.KEPT
    assert not times_recorded("experiment.void")


class TestDeciding:
    def test_a_price_that_is_kept_stays(self, judged: Experiment, owner: Member) -> None:
        message = card(f"experiment:{judged.pk}", owner)

        kept = keep(experiment_id=judged.pk, by=owner, now=TOMORROW)

        assert (kept.state, kept.decided_by, kept.decided_at) == (State.KEPT, owner, TOMORROW)
        assert AuditEntry.objects.get(action="experiment.kept").actor == owner.person
        assert is_to_be_edited(message)
        assert Command.objects.count() == 1, "nothing is sent"

    def test_an_extension_is_seven_more_days(self, judged: Experiment, owner: Member) -> None:
        message = card(f"experiment:{judged.pk}", owner)

        extended = extend(experiment_id=judged.pk, by=owner, now=TOMORROW)

        assert (extended.state, extended.days, extended.decided_by) == (State.RUNNING, 14, None)
        assert extended.ends_on == TODAY + timedelta(days=14)
        entry = AuditEntry.objects.get(action="experiment.extended")
        assert (entry.actor, entry.data) == (owner.person, {"days": 14})
        assert is_to_be_edited(message)

    def test_four_weeks_are_the_most(self, judged: Experiment, owner: Member) -> None:
        for days in (14, 21, 28):
            assert extend(experiment_id=judged.pk, by=owner, now=NOW).days == days
            Experiment.objects.update(state=State.JUDGED)

        with pytest.raises(Refused, match="28 days at most"):
            extend(experiment_id=judged.pk, by=owner, now=NOW)

        judged.refresh_from_db()
        assert (judged.state, judged.days) == (State.JUDGED, 28)
        assert times_recorded("experiment.extended") == 3

    @pytest.mark.parametrize("days", [14, 21, 28])
    def test_an_extension_may_be_of_several_weeks(self, judged: Experiment, owner: Member, days: int) -> None:
        extended = extend(experiment_id=judged.pk, by=owner, now=NOW, days=days)
        assert (extended.state, extended.days) == (State.RUNNING, days)

    @pytest.mark.parametrize("days", [7, 14, 15, 35])
    def test_it_is_of_whole_weeks_and_longer_than_before(self, judged: Experiment, owner: Member, days: int) -> None:
        Experiment.objects.update(days=14)
        with pytest.raises(Refused, match="14 days already"):
            extend(experiment_id=judged.pk, by=owner, now=NOW, days=days)
        assert state_of(judged) == State.JUDGED

    @pytest.mark.parametrize(
        ("decision", "words"),
        [
            (keep, "Already decided by Anna: the price stays."),
            (extend, "still running"),
            (roll_back, "Already decided by Anna: the price is being rolled back."),
        ],
    )
    def test_a_second_press_is_told_how_it_stands(
        self, judged: Experiment, owner: Member, decision: Decision, words: str
    ) -> None:
        decision(experiment_id=judged.pk, by=owner, now=NOW)
        after = Experiment.objects.values().get()
        olga = member(owner.seller, "Olga", Role.APPROVER)

        with pytest.raises(AlreadyOver, match=words):
            decision(experiment_id=judged.pk, by=olga, now=TOMORROW)

        assert Experiment.objects.values().get() == after

    @pytest.mark.parametrize("decision", [keep, extend])
    def test_there_is_nothing_to_decide_before_the_verdict(
        self, experiment: Experiment, owner: Member, decision: Decision
    ) -> None:
        with pytest.raises(AlreadyOver, match="no verdict to decide on yet"):
            decision(experiment_id=experiment.pk, by=owner, now=NOW)

    @pytest.mark.parametrize("decision", DECISIONS)
    @pytest.mark.parametrize(
        ("state", "words"), [("kept", "the price stays"), ("rolled_back", "was rolled back"), ("void", "is void")]
    )
    def test_there_is_nothing_to_decide_after_the_end(
        self, judged: Experiment, owner: Member, decision: Decision, state: str, words: str
    ) -> None:
        Experiment.objects.update(state=state)
        with pytest.raises(AlreadyOver, match=words):
            decision(experiment_id=judged.pk, by=owner, now=NOW)
        assert state_of(judged) == state

    @pytest.mark.parametrize("decision", DECISIONS)
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
    def test_a_role_that_may_not_approve_decides_nothing(
        self, judged: Experiment, owner: Member, decision: Decision, role: Role
    ) -> None:
        with pytest.raises(Denied, match="Your role is"):
            decision(experiment_id=judged.pk, by=member(owner.seller, "Viktor", role), now=NOW)
        assert state_of(judged) == State.JUDGED

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_another_sellers_experiment_does_not_exist(self, judged: Experiment, decision: Decision) -> None:
        with pytest.raises(NotFound):
            decision(experiment_id=judged.pk, by=boris(), now=NOW)
        assert state_of(judged) == State.JUDGED

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_an_approver_may(self, judged: Experiment, owner: Member, decision: Decision) -> None:
        decision(experiment_id=judged.pk, by=member(owner.seller, "Olga", Role.APPROVER), now=NOW)
        assert state_of(judged) != State.JUDGED


class TestStopping:
    @pytest.fixture
    def stopped(self, experiment: Experiment, owner: Member) -> Experiment:
        """After three of seven days."""
        return stop(experiment_id=experiment.pk, by=owner, now=NOW + timedelta(days=4))

    def test_it_ends_without_a_verdict_and_waits_for_a_decision(
        self, experiment: Experiment, stopped: Experiment, owner: Member
    ) -> None:
        assert (stopped.state, stopped.stopped_on, stopped.decided_by) == (
            State.STOPPED,
            TODAY + timedelta(days=4),
            None,
        )
        assert not stopped.verdicts.exists()
        assert Command.objects.count() == 1, "nothing is sent"
        entry = AuditEntry.objects.get(action="experiment.stopped")
        assert (entry.actor, entry.data) == (owner.person, {"days_over": 3})

    def test_its_days_are_counted_no_further(self, stopped: Experiment) -> None:
        assert [stopped.days_over(TODAY + timedelta(days=ahead)) for ahead in (0, 1, 2, 4, 30)] == [0, 0, 1, 3, 3]

    def test_its_price_is_kept(self, stopped: Experiment, owner: Member) -> None:
        assert keep(experiment_id=stopped.pk, by=owner, now=TOMORROW).state == State.KEPT

    def test_its_price_is_rolled_back(self, stopped: Experiment, owner: Member) -> None:
        rolling_back(stopped, owner)
        assert state_of(stopped) == State.ROLLING_BACK

    def test_a_rollback_that_failed_leaves_it_stopped(self, stopped: Experiment, owner: Member) -> None:
        end(rolling_back(stopped, owner), "rejected")
        start_missing(now=NOW)
        assert state_of(stopped) == State.STOPPED

    @pytest.mark.parametrize("decision", [stop, extend])
    def test_it_does_not_go_on(self, stopped: Experiment, owner: Member, decision: Decision) -> None:
        with pytest.raises(AlreadyOver, match="stopped early"):
            decision(experiment_id=stopped.pk, by=owner, now=NOW)

    def test_its_product_is_not_proposed_for_again_meanwhile(self, stopped: Experiment, owner: Member) -> None:
        with pytest.raises(IntegrityError):
            rows.experiment(stopped.product, owner)

    def test_a_later_change_makes_it_void(self, stopped: Experiment, owner: Member) -> None:
        started(carried_out(stopped.product, owner))
        assert state_of(stopped) == State.VOID

    def test_what_has_its_verdict_cannot_be_stopped(self, judged: Experiment, owner: Member) -> None:
        with pytest.raises(AlreadyOver, match="waits for a decision"):
            stop(experiment_id=judged.pk, by=owner, now=NOW)

    def test_what_only_waits_for_the_review_cannot_be_stopped(self, experiment: Experiment, owner: Member) -> None:
        last_evening = NOW + timedelta(days=7)
        with pytest.raises(Refused, match="verdict comes with the next review"):
            stop(experiment_id=experiment.pk, by=owner, now=last_evening + timedelta(days=1))
        assert stop(experiment_id=experiment.pk, by=owner, now=last_evening).state == State.STOPPED

    def test_a_role_that_may_not_approve_stops_nothing(self, experiment: Experiment, owner: Member) -> None:
        with pytest.raises(Denied, match="Your role is"):
            stop(experiment_id=experiment.pk, by=member(owner.seller, "Viktor", Role.ANALYST), now=NOW)

    def test_another_sellers_experiment_does_not_exist(self, experiment: Experiment) -> None:
        with pytest.raises(NotFound):
            stop(experiment_id=experiment.pk, by=boris(), now=NOW)


class TestRollingBack:
    @pytest.mark.parametrize("state", ["judged", "running"])
    def test_it_passes_the_same_gate(self, judged: Experiment, owner: Member, state: str) -> None:
        Experiment.objects.update(state=state)

        command = rolling_back(judged, owner)

        judged.refresh_from_db()
        assert (judged.state, judged.decided_by, judged.decided_at) == (State.ROLLING_BACK, owner, NOW)
        assert command.state == Command.State.QUEUED
        payload = payload_of(command)
        assert (payload.price, payload.restores, payload.expected_price) == (1000, 1000, 1090)
        proposal = command.proposal
        assert (judged.rollback, proposal.reverses, proposal.proposed_by) == (proposal, judged.command, owner)
        assert (proposal.state, proposal.approvals.get().member) == (Proposal.State.APPROVED, owner)

    def test_it_leaves_its_trail(self, judged: Experiment, owner: Member) -> None:
        message = card(f"experiment:{judged.pk}", owner)

        command = rolling_back(judged, owner)

        entry = AuditEntry.objects.get(action="experiment.rolling_back")
        assert (entry.actor, entry.data) == (owner.person, {"proposal": command.proposal_id})
        assert is_to_be_edited(message)
        assert OutboxMessage.objects.get(name="proposal_card").params == {"proposal": command.proposal_id}

    def test_a_guardrail_that_refuses_leaves_nothing_half_done(self, judged: Experiment, owner: Member) -> None:
        KillSwitch.objects.create(shop=judged.shop, is_on=True)

        with pytest.raises(Objected, match="stopped"):
            rolling_back(judged, owner)

        self.nothing_was_decided(judged)

    def test_a_price_that_has_moved_since_is_not_taken_back(self, judged: Experiment, owner: Member) -> None:
        Product.objects.update(price=D(1200))

        with pytest.raises(Objected):
            rolling_back(judged, owner)

        self.nothing_was_decided(judged)

    def test_a_change_under_way_is_not_overtaken(self, judged: Experiment, owner: Member) -> None:
        rows.command(rows.decided(rows.proposal(judged.product), owner), state="sent")
        made = Proposal.objects.count()

        with pytest.raises(Objected, match="being carried out"):
            rolling_back(judged, owner)

        assert state_of(judged) == State.JUDGED
        assert Proposal.objects.count() == made

    def nothing_was_decided(self, experiment: Experiment) -> None:
        experiment.refresh_from_db()
        assert (experiment.state, experiment.rollback, experiment.decided_by) == (State.JUDGED, None, None)
        assert not Proposal.objects.exclude(reverses=None).exists()
        assert not OutboxMessage.objects.exists()
        assert not times_recorded("experiment.rolling_back")

    def test_its_verified_command_ends_the_experiment_once(self, judged: Experiment, owner: Member) -> None:
        command = end(rolling_back(judged, owner), "verified")
        message = card(f"experiment:{judged.pk}", owner)

        assert start_after(command=command, now=NOW) is None
        assert start_after(command=command, now=NOW) is None

        assert state_of(judged) == State.ROLLED_BACK
        assert times_recorded("experiment.rolled_back") == 1
        assert is_to_be_edited(message)
        assert Experiment.objects.count() == 1, "a rollback is not measured"


class TestAFailedRollback:
    @pytest.mark.parametrize("ending", ["rejected", "needs_human", "superseded", "cancelled"])
    def test_it_reopens_the_decision(self, judged: Experiment, owner: Member, ending: str) -> None:
        end(rolling_back(judged, owner), ending)
        message = card(f"experiment:{judged.pk}", owner)

        assert start_missing(now=NOW) == 1
        assert start_missing(now=NOW) == 0

        judged.refresh_from_db()
        assert (judged.state, judged.rollback, judged.decided_by, judged.decided_at) == (State.JUDGED, None, None, None)
        assert times_recorded("experiment.rollback_failed") == 1
        assert is_to_be_edited(message)

    @pytest.mark.parametrize("ending", ["expired", "rejected", "stale", "superseded"])
    def test_one_whose_proposal_came_to_nothing_reopens_too(
        self, judged: Experiment, owner: Member, ending: str
    ) -> None:
        lapsed = rows.proposal(judged.product, reverses=judged.command, state=ending)
        Experiment.objects.update(state=State.ROLLING_BACK, rollback=lapsed, decided_by=owner, decided_at=NOW)

        assert start_missing(now=NOW) == 1

        assert state_of(judged) == State.JUDGED

    def test_one_that_was_stopped_early_goes_on_running(self, experiment: Experiment, owner: Member) -> None:
        end(rolling_back(experiment, owner), "rejected")
        start_missing(now=NOW)
        assert state_of(experiment) == State.RUNNING

    def test_the_verdict_before_an_extension_is_none_on_the_longer_window(
        self, judged: Experiment, owner: Member
    ) -> None:
        extend(experiment_id=judged.pk, by=owner, now=NOW)
        end(rolling_back(judged, owner), "rejected")
        start_missing(now=NOW)
        assert state_of(judged) == State.RUNNING

    def test_it_may_be_tried_again(self, judged: Experiment, owner: Member) -> None:
        failed = end(rolling_back(judged, owner), "rejected")
        start_missing(now=NOW)

        again = rolling_back(judged, owner)

        assert again != failed
        assert state_of(judged) == State.ROLLING_BACK
        start_missing(now=NOW)
        assert state_of(judged) == State.ROLLING_BACK, "the failed one has been dealt with"

    @pytest.mark.parametrize("under_way", Command.LIVE)
    def test_one_under_way_is_waited_for(self, judged: Experiment, owner: Member, under_way: str) -> None:
        end(rolling_back(judged, owner), under_way)
        assert start_missing(now=NOW) == 0
        assert state_of(judged) == State.ROLLING_BACK


class TestAfterACrash:
    def test_what_was_verified_and_not_started_starts(self, command: Command) -> None:
        assert start_missing(now=NOW) == 1
        assert start_missing(now=NOW) == 0

        assert Experiment.objects.get().command == command
        assert times_recorded("experiment.started") == 1

    def test_of_two_changes_of_a_product_the_later_is_measured(self, shelf: Shelf, owner: Member) -> None:
        product = shelf.product()
        earlier, later = carried_out(product, owner), carried_out(product, owner)

        assert start_missing(now=NOW) == 2

        assert Experiment.objects.get(command=earlier).state == State.VOID
        assert Experiment.objects.get(command=later).state == State.RUNNING

    def test_a_rollback_that_was_verified_ends_its_experiment(self, judged: Experiment, owner: Member) -> None:
        end(rolling_back(judged, owner), "verified")

        assert start_missing(now=NOW) == 1
        assert start_missing(now=NOW) == 0

        assert state_of(judged) == State.ROLLED_BACK
        assert times_recorded("experiment.rolled_back") == 1

    def test_what_lies_before_the_longest_outage_is_not_measured_any_more(self, command: Command) -> None:
        assert command.verified_at is not None
        too_late = command.verified_at + lifecycle.LONGEST_OUTAGE

        assert start_missing(now=too_late) == 0
        assert start_missing(now=too_late - timedelta(seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_starts_make_one_experiment(self, command: Command) -> None:
        results = at_once(*[lambda: start_after(command=command, now=NOW)] * 8)

        assert results == [Experiment.objects.get()] * 8
        assert times_recorded("experiment.started") == 1

    def test_of_eight_presses_one_decides(self, judged: Experiment, owner: Member) -> None:
        presses = [lambda press=press: press(experiment_id=judged.pk, by=owner, now=NOW) for press in (keep, roll_back)]

        results = at_once(*presses * 4)

        assert sum(isinstance(result, AlreadyOver) for result in results) == 7
        assert Command.objects.filter(proposal__reverses=judged.command).exists() == (state_of(judged) != State.KEPT)
