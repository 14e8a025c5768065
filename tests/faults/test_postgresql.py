"""PostgreSQL goes away under a change that is being sent, and comes back."""

from __future__ import annotations

import pytest

from config.servers import Postgres
from tests.faults.harness import Fleet, crash, eventually
from tests.faults.trade import SEND, trade_of

pytestmark = [pytest.mark.fault, pytest.mark.flow, pytest.mark.slow]


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
