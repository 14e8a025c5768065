"""Redis and PostgreSQL go away under commands that wait or are being sent, and come back: nothing is done twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from celery import Celery

from apps.decisions.models import Command
from config.celery import RELIABILITY, ROUTES, broker_url
from config.celery import app as vitrina
from config.servers import Postgres
from tests.faults.harness import Fleet, crash, eventually
from tests.faults.trade import SEND, trade_of

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State


@contextmanager
def waking(fleet: Fleet) -> Iterator[None]:
    """What is approved in this process wakes the workers of the fleet."""
    with Celery("a page", broker=broker_url(fleet.redis_url)) as app:
        app.conf.update(RELIABILITY | {"task_routes": ROUTES})
        yield
    vitrina.set_current()


def test_a_redis_that_dies_and_forgets_everything_delays_approved_changes_and_no_more(fleet: Fleet) -> None:
    with trade_of(fleet, skus=40) as trade, waking(fleet):
        sleeper = trade.worker()
        sleeper.freeze()
        commands = [trade.approved() for _ in range(3)]
        with redis.from_url(fleet.redis_url) as broker:
            assert broker.llen("vitrina:money") >= 2  # one may be in the sleeper's hands
        fleet.redis.kill()
        commands += [trade.approved() for _ in range(2)]

        shutil.rmtree(fleet.redis.folder)
        fleet.redis.start()
        fleet.redis.wait_ready()
        sleeper.thaw()

        assert trade.follow(*commands) == [State.VERIFIED] * 5
        for command in commands:
            assert trade.changed_once(command).calls == [200]


def test_postgresql_restarted_under_a_send_leaves_no_command_stuck(own_postgres: Postgres, fleet: Fleet) -> None:
    with trade_of(fleet, skus=40) as trade:
        worker = trade.worker()
        under_way, next_one = trade.approved(), trade.approved()
        trade.spoil(SEND, "hang_after_apply", delay=1)
        trade.run(under_way)
        eventually(lambda: trade.is_spoilt(SEND), "the call is under way")

        crash(own_postgres)

        trade.follow(under_way)
        assert trade.changed_once(under_way).calls == [None]
        trade.run(next_one)
        trade.follow(next_one, ticking=False)
        assert trade.changed_once(next_one).calls == [200]
        assert worker.is_running
