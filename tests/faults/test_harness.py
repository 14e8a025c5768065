"""The harness itself: what it starts takes work, what it kills is gone."""

from __future__ import annotations

import pytest

from apps.common.clock import real_now
from apps.jobs.models import Pulse
from apps.shops.models import Seller
from config.servers import Postgres
from tests.faults.harness import QUEUES, Fleet, crash, eventually

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def test_a_killed_worker_leaves_nobody_behind(fleet: Fleet) -> None:
    worker = fleet.worker(QUEUES, 2)
    assert len(worker.children()) == 2
    worker.kill()
    assert not worker.is_running


def test_a_worker_outlives_a_restart_of_redis(fleet: Fleet) -> None:
    worker = fleet.worker("fast")
    crash(fleet.redis)
    assert answers(fleet)
    assert worker.is_running


def test_a_worker_outlives_a_restart_of_postgresql(own_postgres: Postgres, fleet: Fleet) -> None:
    fleet.worker("fast")
    assert answers(fleet)
    seller = Seller.objects.create(name="Anna")
    crash(own_postgres)
    assert Seller.objects.get() == seller
    assert answers(fleet)


def answers(fleet: Fleet) -> bool:
    """A worker has carried out a task from now."""
    now = real_now()
    fleet.send("health.ping", "fast")
    return eventually(Pulse.objects.filter(at__gte=now).exists, "a worker answers the ping")
