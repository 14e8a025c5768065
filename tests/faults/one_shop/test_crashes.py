"""Workers that die or sleep in the middle of a change, and a Redis that dies under changes that wait: each price is
changed once, each change has one experiment, and the story is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGKILL

import pytest
import redis
from celery import Celery

from apps.decisions.models import Command
from apps.experiments.models import Experiment
from config.celery import RELIABILITY, ROUTES, broker_url
from config.celery import app as vitrina
from tests.faults.harness import Fleet, eventually
from tests.faults.trade import READ, SEND, Trade

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State

# Where in its work on a command a worker is killed, and what its attempts have come to when all is over.
AROUND_THE_CALL = {
    "between the intent and the call": ("CRASH_AFTER", "apps.decisions.executor._intend", ["unknown", "accepted"]),
    "between the call and its note": ("CRASH_AFTER", "apps.decisions.executor._call", ["unknown"]),
}
AROUND_THE_REST = {
    "right after the claim": ("CRASH_AFTER", "apps.decisions.executor._claim", ["accepted"]),
    "right after the note": ("CRASH_AFTER", "apps.decisions.executor._note", ["accepted"]),
    "before the experiment starts": ("CRASH_BEFORE", "apps.experiments.lifecycle.start_after", ["accepted"]),
}


@pytest.fixture(autouse=True)
def _no_worker_is_left(trade: Trade) -> Iterator[None]:
    yield
    trade.fleet.close()


@contextmanager
def waking(fleet: Fleet) -> Iterator[None]:
    """What is approved in this process wakes the workers of the fleet."""
    with Celery("a page", broker=broker_url(fleet.redis_url)) as app:
        app.conf.update(RELIABILITY | {"task_routes": ROUTES})
        yield
    vitrina.set_current()


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "deaths", [AROUND_THE_CALL, pytest.param(AROUND_THE_REST, marks=pytest.mark.slow)], ids=["the call", "the rest"]
)
def test_at_whatever_step_a_worker_dies_the_change_is_sent_once(
    trade: Trade, deaths: dict[str, tuple[str, str, list[str]]]
) -> None:
    commands = {death: trade.approved() for death in deaths}
    doomed = {
        death: trade.fleet.launch_worker(f"queue{number}", **{moment: step})
        for number, (death, (moment, step, _)) in enumerate(deaths.items())
    }
    for number, death in enumerate(deaths):
        trade.fleet.send("commands.run", commands[death].pk, queue=f"queue{number}")
    for worker in doomed.values():
        assert worker.wait_end(within=90) == -SIGKILL
    assert not Experiment.objects.filter(command__in=commands.values()).exists()

    trade.worker()
    trade.follow(*commands.values())

    for death, (_, _, outcomes) in deaths.items():
        story = trade.changed_once(commands[death])
        assert (story.calls, story.outcomes) == ([200], outcomes), death


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_send_that_outlasts_the_brokers_patience_is_delivered_again_and_not_sent_again(trade: Trade) -> None:
    command = trade.approved()
    worker = trade.fleet.worker("money", 2, VISIBILITY_SECONDS="1", HTTP_DEADLINE_SECONDS="9")
    trade.spoil(SEND, "hang_after_apply", delay=6)
    trade.run(command)
    trade.follow(command, ticking=False)

    copies = [line for line in worker.lines() if "commands.run" in line and "received" in line]
    assert len(copies) >= 3, "once more at the least, and the read-back"
    story = trade.changed_once(command)
    assert (story.calls, story.outcomes) == ([None], ["unknown"])


@pytest.mark.slow
def test_a_redis_that_dies_and_forgets_everything_delays_approved_changes_and_no_more(trade: Trade) -> None:
    server = trade.fleet.redis
    sleeper = trade.worker()
    sleeper.freeze()
    with waking(trade.fleet):
        commands = [trade.approved() for _ in range(3)]
        with redis.from_url(trade.fleet.redis_url) as broker:
            assert broker.llen("vitrina:money") >= 2  # one may be in the sleeper's hands
        server.kill()
        commands += [trade.approved() for _ in range(2)]

    shutil.rmtree(server.folder)
    server.start()
    server.wait_ready()
    sleeper.thaw()

    assert trade.follow(*commands) == [State.VERIFIED] * 5
    for command in commands:
        assert trade.changed_once(command).calls == [200]
