"""A rate limit that all processes of an installation share through Redis.

Each account has one bucket for all its calls and one for every method with a limit of its own. We use 80 % of what the
API allows, so that another program with the same key, or a clock that is a little off, does not bring refusals. When
Redis is away, each process counts for itself until it is back: too many calls are then refused by the API itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from weakref import WeakKeyDictionary

from pyrate_limiter import AbstractBucket, Decision, InMemoryBucket, Rate, RateItem, RedisBucket
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from apps.marketplaces.errors import Temporary

SECOND, MINUTE, HOUR, DAY = 1, 60, 3_600, 86_400
USED_SHARE = 0.8
REDIS_PAUSE_SECONDS = 10.0  # how long Redis is left alone after it failed
SHORTEST_WAIT_SECONDS = 0.005

log = logging.getLogger(__name__)
_local_buckets: dict[str, InMemoryBucket] = {}
_left_alone_until: WeakKeyDictionary[Redis, float] = WeakKeyDictionary()  # all limiters of a process share its Redis


@dataclass(frozen=True)
class Limit:
    """The API allows `calls` in any `seconds`; `share` of them is ours to use."""

    calls: int
    seconds: int
    share: float = USED_SHARE

    @property
    def pace(self) -> Rate:
        """What we use of it: fewer calls, or, where there is but one, a longer while."""
        calls = int(self.calls * self.share)
        return Rate(calls, self.seconds * 1000) if calls else Rate(1, int(self.seconds * 1000 / self.share))


@dataclass(frozen=True)
class Limits:
    """The limits of an API: over all calls of an account, and of single methods by their path."""

    every_call: tuple[Limit, ...]
    by_path: Mapping[str, tuple[Limit, ...]]


def redis_at(url: str) -> Redis:
    """A connection for the limiter. It gives up at once: a call held up by Redis is worse than one too many."""
    return Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))


class RateLimiter:
    """Turns for the calls of one `account`. `redis` None: this process counts for itself. `clock` is monotonic."""

    def __init__(
        self,
        limits: Limits,
        *,
        api: str,
        account: str,
        redis: Redis | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._api = api
        self._account = account
        self._redis = redis
        self._sleep = sleep
        self._clock = clock
        self._shared_buckets: dict[str, RedisBucket] = {}

    def acquire(self, path: str, *, within: float) -> None:
        """Waits for a turn to call `path`; raises Temporary when that would take more than `within` seconds."""
        ends_at = self._clock() + within
        for key, limits in self._buckets_of(path):
            while wait := self._wait_for(key, limits):
                if self._clock() + wait > ends_at:
                    raise Temporary(self._api, path, "our own rate limit leaves no call free", None, wait)
                self._sleep(wait)

    def _buckets_of(self, path: str) -> Iterator[tuple[str, tuple[Limit, ...]]]:
        """The method's own bucket first: who waits for that must not hold a turn of the common one."""
        own = self._limits.by_path.get(path)
        if own:
            yield f"vitrina:rate:{self._api}:{self._account}:{path}", own
        yield f"vitrina:rate:{self._api}:{self._account}", self._limits.every_call

    def _wait_for(self, key: str, limits: tuple[Limit, ...]) -> float:
        """Seconds until a turn may be free, 0 when it was taken just now."""
        if self._redis is not None and self._clock() >= _left_alone_until.get(self._redis, 0.0):
            try:
                wait = self._take_shared(key, limits, self._redis)
            except RedisError as error:
                self._leave_alone(self._redis, error)
            else:
                _left_alone_until.pop(self._redis, None)
                return wait
        return _take(_local_buckets.setdefault(key, InMemoryBucket(_paces(limits))))

    def _take_shared(self, key: str, limits: tuple[Limit, ...], redis: Redis) -> float:
        if key not in self._shared_buckets:
            self._shared_buckets[key] = RedisBucket.init(_paces(limits), redis, key)
        try:
            return _take(self._shared_buckets[key])
        except NoScriptError:  # Redis was restarted and has forgotten the script
            self._shared_buckets[key] = RedisBucket.init(_paces(limits), redis, key)
            return _take(self._shared_buckets[key])

    def _leave_alone(self, redis: Redis, error: RedisError) -> None:
        if redis not in _left_alone_until:
            log.warning("Redis is unavailable (%s): the rate limit of %s is kept per process", error, self._api)
        _left_alone_until[redis] = self._clock() + REDIS_PAUSE_SECONDS


def _paces(limits: tuple[Limit, ...]) -> list[Rate]:
    return [limit.pace for limit in limits]


def _take(bucket: AbstractBucket) -> float:
    """0 when a turn was taken, else the seconds until one may be free."""
    item = RateItem("call", bucket.now())
    decision = cast(Decision, bucket.put_decision(item))  # neither bucket is an asynchronous one
    if decision.allowed:
        bucket.leak(item.timestamp)
        return 0.0
    return max((decision.retry_after_ms or 0) / 1000, SHORTEST_WAIT_SECONDS)
