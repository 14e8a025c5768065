"""So many calls a minute for each person, on the page and by tokens together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis
from pytest_django.fixtures import Settings

from apps.common.clock import real_now
from apps.dashboard.limits import TooManyCalls, take_turn
from tests.backoffice.fill import Filled
from tests.dashboard.asking import at_the_page, with_token

NOON = datetime(2026, 3, 16, 9, 0, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def three_a_minute(settings: Settings, empty_redis: redis.Redis) -> None:
    settings.API_CALLS_PER_MINUTE = 3


def test_the_fourth_waits_for_the_next_minute() -> None:
    for _call in range(3):
        take_turn(1, now=NOON)
    with pytest.raises(TooManyCalls) as refused:
        take_turn(1, now=NOON)
    assert refused.value.wait_seconds == 48
    take_turn(1, now=NOON + timedelta(seconds=48))


def test_each_person_has_their_own() -> None:
    for _call in range(3):
        take_turn(1, now=NOON)
    take_turn(2, now=NOON)
    with pytest.raises(TooManyCalls):
        take_turn(1, now=NOON)


def test_nothing_of_it_is_left_in_redis_after_two_minutes(empty_redis: redis.Redis) -> None:
    take_turn(1, now=NOON)
    (key,) = empty_redis.keys()
    assert 0 < empty_redis.ttl(key) <= 120


def test_without_redis_everybody_is_answered(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for _call in range(4):
        take_turn(1, now=NOON)
    assert "calls of the API are not counted" in caplog.text


@pytest.mark.django_db
def test_too_many_are_told_when_to_come_again(anna: Filled, boris: Filled) -> None:
    while real_now().second > 55:  # the four calls belong to one minute
        pass
    page, program = at_the_page(anna.owner), with_token(anna.owner)
    assert [asker.get("/api/products").status_code for asker in (page, program, page)] == [200, 200, 200]
    answer = program.get("/api/products")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer["Retry-After"] in answer.json()["detail"]
    assert at_the_page(boris.owner).get("/api/products").status_code == 200
