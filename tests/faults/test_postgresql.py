"""PostgreSQL under faults: it restarts, it cuts every connection, somebody holds a lock for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction
from pytest_django import Settings

from apps.backoffice.demo.checks import compare
from apps.catalog.models import Product
from apps.common.db import take_lock
from apps.decisions.models import Attempt, Command
from apps.jobs.models import JobRun, SyncRun
from config.servers import Postgres
from tests.faults.harness import Fleet, crash, cut_all_connections, eventually, waiting_for_a_lock
from tests.faults.test_sync import planned
from tests.faults.trade import SEND, Trade, trade_of
from tests.flows.shop import live_shop

pytestmark = [pytest.mark.fault, pytest.mark.flow, pytest.mark.slow]

LONG_SECONDS = 30


def test_a_restart_under_a_send_leaves_no_command_stuck(own_postgres: Postgres, fleet: Fleet) -> None:
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


def test_connections_cut_in_the_middle_of_a_transaction_leave_nothing_of_it_and_the_change_is_made_once(
    fleet: Fleet,
) -> None:
    with trade_of(fleet, skus=40) as trade:
        worker = trade.worker()
        pool, command = worker.children(), trade.approved()
        with held_decisions(trade):
            trade.run(command)
            eventually(waiting_for_a_lock, "the worker is in the middle of a transaction")
            assert cut_all_connections() >= 1
            eventually(lambda: "terminating connection" in worker.log.read_text(), "the worker has noticed")
        command.refresh_from_db()
        assert (command.state, command.writes) == (Command.State.QUEUED, 0)
        assert not Attempt.objects.filter(command=command).exists()

        trade.follow(command)

        assert trade.changed_once(command).calls == [200]
        assert worker.children() == pool, "the same process, with another connection"


def test_a_sync_whose_connections_are_cut_is_tried_again_soon_and_misses_nothing(
    fleet: Fleet, settings: Settings
) -> None:
    """Not only when its lease is over: the next connection says that the try has failed."""
    with live_shop(settings, skus=40, history_days=60) as live:
        url = live.standins.url
        fleet.env |= {"OZON_API_URL": url, "WORLD_URL": url, "JOB_LEASE_SECONDS": "120"}
        fleet.worker("fast,sync")
        run = planned(live)
        fleet.send("jobs.run", run.pk, queue="sync")
        eventually(Product.objects.filter(shop=live.shop).exists, "the sync is under way")

        assert cut_all_connections() >= 1

        eventually(JobRun.objects.filter(pk=run.pk, state=JobRun.State.DONE).exists, "the sync is done", within=60)
        run.refresh_from_db()
        assert run.attempt == 2
        assert not run.sync_runs.exclude(state=SyncRun.State.COMPLETE).exists()
        assert compare(live.world, live.shop, live.today - timedelta(days=1)).wrong == ()


def test_a_lock_that_is_held_for_long_delays_changes_and_piles_nothing_up(fleet: Fleet) -> None:
    with trade_of(fleet, skus=40) as trade:
        worker = trade.worker()
        commands = [trade.approved() for _ in range(3)]
        with held_decisions(trade):
            for _ in range(LONG_SECONDS):
                trade.tick()
                time.sleep(1)
                assert waiting_for_a_lock() <= 1
            assert trade.calls(SEND) == []

        trade.follow(*commands)

        for command in commands:
            assert trade.changed_once(command).calls == [200]
        assert "canceling statement due to lock timeout" in worker.log.read_text()
        assert worker.is_running


@contextmanager
def held_decisions(trade: Trade) -> Iterator[None]:
    """Somebody decides for this shop and takes his time."""
    with transaction.atomic():
        take_lock("decisions", trade.live.shop.pk)
        yield
