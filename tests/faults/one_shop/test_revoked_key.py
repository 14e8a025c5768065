"""A key that is revoked in the middle: its circuit opens, everything rests without a loss, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.common.encrypted import Secret
from apps.decisions.models import Command
from apps.jobs.ledger import plan
from apps.jobs.models import JobRun
from apps.jobs.timetable import find_job
from apps.marketplaces.ozon_seller.client import ROLES
from apps.marketplaces.standins.ozon_seller import Account
from apps.notifications.models import OutboxMessage
from apps.reports.messages import render
from apps.shops import key_check, keys
from apps.shops.models import AuditEntry, Credential
from tests.faults.harness import eventually, never
from tests.faults.trade import READ, SEND, Trade

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State
EVERYTHING = "ozon:*"
TICKS = ("commands.sweep", "jobs.catch_up", "keys.sweep", "jobs.watchdog")


@pytest.fixture(scope="module", autouse=True)
def _worker(shared_trade: Trade) -> None:
    shared_trade.fleet.worker()


@pytest.fixture(autouse=True)
def _key_as_before(trade: Trade) -> Iterator[None]:
    yield
    account(trade).api_key = "key-of-101"
    OutboxMessage.objects.all().delete()
    Credential.objects.update(
        secret=Secret("key-of-101"), former_secret=None, is_refused=False, problem="", problem_at=None, checked_at=None
    )


def account(trade: Trade) -> Account:
    (found,) = trade.live.standins.of.accounts
    return found


def key_of(trade: Trade) -> Credential:
    return Credential.objects.get(shop=trade.live.shop)


def tick(trade: Trade) -> None:
    """The clock's minute."""
    for task in TICKS:
        trade.fleet.send(task)


def planned_sync(trade: Trade) -> JobRun:
    job = find_job("ozon_sync")
    assert job is not None
    JobRun.objects.filter(shop=trade.live.shop, job=job.name).delete()
    run = plan(job=job, shop=trade.live.shop, due=trade.now)
    assert run is not None
    return run


def other_calls(trade: Trade) -> list[str]:
    """What was asked beside the question whether the key is taken again."""
    return [call["route"] for call in trade.calls(EVERYTHING) if call["route"] != f"ozon:{ROLES}"]


def alerts(trade: Trade) -> list[str]:
    messages = OutboxMessage.objects.filter(name="key_problem").order_by("pk")
    return [render(message, now=trade.now).text for message in messages]


def trail(*actions: str) -> list[str]:
    return list(AuditEntry.objects.filter(action__in=actions).order_by("pk").values_list("action", flat=True))


def goes_on(trade: Trade, *commands: Command) -> None:
    def ticked() -> bool:
        tick(trade)
        return not key_of(trade).is_refused

    eventually(ticked, "the key is taken again", every=0.3)
    trade.follow(*commands)
    for command in commands:
        trade.changed_once(command)


@pytest.mark.slow
def test_a_revoked_key_costs_one_call_and_one_alert_and_nothing_is_lost(trade: Trade) -> None:
    refused_before = len(trail("credential.refused"))
    commands = [trade.approved() for _ in range(5)]
    trade.heal()  # what the shop's first sync has asked does not count
    trade.spoil(EVERYTHING, "revoked_key", times=None)
    trade.run(*commands)
    eventually(lambda: key_of(trade).is_refused, "the circuit opens")

    run = planned_sync(trade)
    for _ in range(5):
        tick(trade)
        never(lambda: len(other_calls(trade)) > 1, "something is asked with a refused key", during=0.6)

    states = Command.objects.filter(pk__in=[one.pk for one in commands]).values_list("state", flat=True)
    assert list(states) == [State.QUEUED] * 5
    assert not OutboxMessage.objects.filter(name="command_ended").exists()
    run.refresh_from_db()
    assert run.state == JobRun.State.PLANNED
    (told,) = eventually(lambda: alerts(trade), "the owner is told")
    assert "the marketplace refuses the key (OZON Seller API)" in told
    assert "Api-key is deactivated" in told
    assert "5 approved changes wait and go on by themselves" in told
    assert account(trade).api_key not in told
    assert len(trail("credential.refused")) - refused_before == 1
    assert any(call["route"] == f"ozon:{ROLES}" for call in trade.calls(EVERYTHING)), "it was asked again"

    trade.heal()
    goes_on(trade, *commands)
    finished(run)
    assert len(alerts(trade)) == 1
    assert "accepts it again" in alerts(trade)[0]
    assert trail("credential.refused", "credential.accepted")[-2:] == ["credential.refused", "credential.accepted"]


def finished(run: JobRun) -> None:
    def is_done() -> bool:
        run.refresh_from_db()
        return run.state == JobRun.State.DONE

    eventually(is_done, f"{run} is done", within=60)


@pytest.mark.slow
def test_a_sync_that_met_it_between_two_pages_goes_on(trade: Trade) -> None:
    run = planned_sync(trade)
    trade.spoil(READ, "revoked_key")
    trade.fleet.send("jobs.run", run.pk, queue="sync")
    eventually(lambda: key_of(trade).is_refused, "the circuit opens")
    run.refresh_from_db()
    assert (run.state, run.finished_at) == (JobRun.State.PLANNED, None)

    goes_on(trade)
    tick(trade)
    finished(run)


@pytest.mark.slow
def test_a_key_revoked_between_look_and_send_changes_nothing_and_then_once(trade: Trade) -> None:
    command = trade.approved()
    trade.spoil(SEND, "revoked_key")
    trade.run(command)
    eventually(lambda: key_of(trade).is_refused, "the circuit opens")
    assert trade.unchanged(command).state in Command.LIVE

    goes_on(trade, command)
    story = trade.story(command)
    assert (story.calls, story.outcomes) == ([403, 200], ["not_applied", "accepted"])


@pytest.mark.slow
def test_a_new_key_sets_everything_going_again(trade: Trade) -> None:
    command = trade.approved()
    account(trade).api_key = "the-new-key-of-101"
    trade.run(command)
    eventually(lambda: key_of(trade).is_refused, "the circuit opens")

    secret = Secret("the-new-key-of-101")
    roles = key_check.ask("101", secret)
    keys.enter_next(key_id=key_of(trade).pk, client_id="101", secret=secret, roles=roles, by=trade.owner.person)

    trade.follow(command)
    assert trade.changed_once(command).calls == [200]
    assert (key_of(trade).is_refused, key_of(trade).former_secret) == (False, None)


@pytest.mark.slow
def test_a_key_changed_under_way_leaves_no_gap(trade: Trade) -> None:
    """Syncs and commands run while the next key takes over; the old one is revoked right after."""
    account(trade).more_keys.add("the-next-key-of-101")
    run = planned_sync(trade)
    trade.fleet.send("jobs.run", run.pk, queue="sync")
    commands = [trade.approved() for _ in range(3)]
    trade.run(*commands)

    secret = Secret("the-next-key-of-101")
    roles = key_check.ask("101", secret)
    keys.enter_next(key_id=key_of(trade).pk, client_id="101", secret=secret, roles=roles, by=trade.owner.person)

    trade.follow(*commands)
    for command in commands:
        assert trade.changed_once(command).outcomes == ["accepted"]
    tick(trade)
    finished(run)
    eventually(lambda: key_of(trade).former_secret is None, "the old key is forgotten")
    assert key_of(trade).secret == secret
    assert not alerts(trade)
    assert key_of(trade).checked_at is not None
