"""/api/health: open to anyone, and no figure for a stranger."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.test import override_settings
from pytest_django.fixtures import Settings

from apps.jobs.models import Pulse
from apps.jobs.watchdog import CLOCK, beat
from apps.shops.models import Shop
from tests.backoffice.fill import Filled
from tests.dashboard.asking import HEALTH, at_the_page, nobody
from tests.dashboard.sold import Cosmetics

pytestmark = pytest.mark.django_db
PARTS = ("duckdb", "database", "broker", "workers")


@pytest.fixture(autouse=True)
def at_work(empty_redis: redis.Redis, cosmetics: Cosmetics) -> None:
    beat(CLOCK)


def statuses(answer: dict[str, Any]) -> dict[str, str]:
    return {part: answer[part]["status"] for part in PARTS}


def test_a_stranger_learns_that_all_parts_work_and_no_figure(settings: Settings) -> None:
    settings.RELEASE = "2026-11-22"
    answer = nobody().get(HEALTH)
    found = answer.json()
    assert answer.status_code == 200
    assert (found["status"], found["version"]) == ("healthy", "2026-11-22")
    assert statuses(found) == dict.fromkeys(PARTS, "up")
    assert all(found[part]["latency_ms"] >= 0 for part in PARTS)
    assert (found["duckdb"]["orders"], found["duckdb"]["products"], found["duckdb"]["as_of"]) == (None, None, None)
    assert "Anna" not in answer.content.decode()


def test_somebody_of_a_team_sees_their_own_figures(anna: Filled, boris: Filled) -> None:
    assert at_the_page(anna.owner).json(HEALTH)["duckdb"]["orders"] == 7 + 4
    assert at_the_page(anna.owner).json(HEALTH)["duckdb"]["products"] == 4 + 3
    assert at_the_page(boris.owner).json(HEALTH)["duckdb"]["orders"] == 4


def test_each_call_has_a_number_of_its_own() -> None:
    assert len({nobody().json(HEALTH)["correlation_id"] for _call in range(2)}) == 2


def test_a_clock_that_stands_degrades_it() -> None:
    Pulse.objects.all().delete()
    found = nobody().json(HEALTH)
    assert found["status"] == "degraded"
    assert statuses(found) == {**dict.fromkeys(PARTS, "up"), "workers": "down"}


def test_a_broker_that_is_away_degrades_it() -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        found = nobody().json(HEALTH)
    assert statuses(found) == {**dict.fromkeys(PARTS, "up"), "broker": "down"}


def test_a_shop_whose_store_is_not_built_degrades_it(anna: Filled) -> None:
    Shop.objects.create(seller=anna.seller, name="New")
    found = at_the_page(anna.owner).json(HEALTH)
    assert statuses(found) == {**dict.fromkeys(PARTS, "up"), "duckdb": "down"}
    assert found["duckdb"]["orders"] is None
