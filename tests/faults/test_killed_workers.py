"""Workers that die or sleep in the middle of a change: one change of price, one experiment, the story complete."""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL

import pytest

from apps.decisions.models import Command
from tests.faults.harness import Fleet, eventually
from tests.faults.trade import READ, SEND, Trade, trade_of

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State

# Where in its work on a command a worker is killed.
DEATHS = {
    "right after the claim": ("CRASH_AFTER", "apps.decisions.executor._claim"),
    "between the intent and the call": ("CRASH_AFTER", "apps.decisions.executor._intend"),
    "between the call and its note": ("CRASH_AFTER", "apps.decisions.executor._call"),
    "right after the note": ("CRASH_AFTER", "apps.decisions.executor._note"),
    "before the experiment starts": ("CRASH_BEFORE", "apps.experiments.lifecycle.start_after"),
}


@pytest.fixture
def trade(fleet: Fleet) -> Iterator[Trade]:
    with trade_of(fleet, skus=40) as trade:
        yield trade


@pytest.mark.parametrize(
    ("kind", "calls"),
    [("hang_after_apply", [None]), ("hang", [None, 200])],
    ids=["the price has changed", "the price has not changed"],
)
def test_a_worker_killed_between_the_send_and_its_answer(trade: Trade, kind: str, calls: list[int | None]) -> None:
    command = trade.approved()
    doomed = trade.worker(HTTP_DEADLINE_SECONDS="5")
    trade.spoil(SEND, kind, delay=60)
    trade.run(command)
    eventually(lambda: trade.is_spoilt(SEND), "the call is under way")
    doomed.kill()
    command.refresh_from_db()
    assert (command.state, command.writes) == (State.SENDING, 1)

    trade.worker()
    trade.follow(command)

    story = trade.changed_once(command)
    assert story.calls == calls
    assert story.outcomes == ["unknown", "accepted"][: len(calls)]


def test_at_whatever_step_a_worker_dies_the_change_is_sent_once(trade: Trade) -> None:
    commands = {death: trade.approved() for death in DEATHS}
    doomed = {
        death: trade.fleet.launch_worker(f"queue{number}", **{moment: step})
        for number, (death, (moment, step)) in enumerate(DEATHS.items())
    }
    for number, death in enumerate(DEATHS):
        trade.fleet.send("commands.run", commands[death].pk, queue=f"queue{number}")
    for worker in doomed.values():
        assert worker.wait_end(within=90) == -SIGKILL
    assert {trade.story(command).experiments for command in commands.values()} == {0}

    trade.worker()
    trade.follow(*commands.values())

    outcomes = {}
    for death, command in commands.items():
        story = trade.changed_once(command)
        assert story.calls == [200], death
        outcomes[death] = story.outcomes
    assert outcomes == {
        "right after the claim": ["accepted"],
        "between the intent and the call": ["unknown", "accepted"],
        "between the call and its note": ["unknown"],
        "right after the note": ["accepted"],
        "before the experiment starts": ["accepted"],
    }


def test_a_worker_that_slept_through_its_lease_leaves_the_change_to_the_one_that_took_over(trade: Trade) -> None:
    command = trade.approved()
    sleeper = trade.worker()
    trade.spoil(READ, "hang", delay=60)
    trade.run(command)
    eventually(lambda: trade.is_spoilt(READ), "it looks at the price")
    sleeper.freeze()
    trade.worker()
    trade.follow(command)

    sleeper.thaw()

    sleeper.wait_line("the lease was lost")
    assert trade.changed_once(command).calls == [200]
