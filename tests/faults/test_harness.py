"""The harness itself: what it starts takes work, what it kills is gone."""

from __future__ import annotations

import pytest

from apps.shops.models import Seller
from config.servers import Postgres
from tests.faults.harness import Fleet, crash

pytestmark = pytest.mark.fault


def test_a_killed_worker_leaves_nobody_behind(fleet: Fleet) -> None:
    worker = fleet.worker(concurrency=2)
    assert len(worker.children()) == 2
    worker.kill()
    assert not worker.is_running


def test_a_worker_outlives_a_restart_of_redis(fleet: Fleet) -> None:
    worker = fleet.worker("fast")
    crash(fleet.redis)
    worker.wait_line("Connection to broker lost", within=20)
    assert worker.is_running


def test_a_test_may_have_a_postgresql_of_its_own(own_postgres: Postgres, fleet: Fleet) -> None:
    seller = Seller.objects.create(name="Anna")
    crash(own_postgres)
    assert Seller.objects.get() == seller
    assert fleet.redis.running
