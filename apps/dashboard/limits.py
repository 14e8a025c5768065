"""How many calls a minute a person may make, counted in Redis for all processes.

Without Redis nobody is counted: an API that answers is worth more than one that counts.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _
from redis import Redis
from redis.exceptions import RedisError

from apps.common.errors import UserError
from apps.marketplaces.ratelimit import redis_at

log = logging.getLogger(__name__)


class TooManyCalls(UserError):
    """The person's calls of this minute are used up; `wait_seconds` says when the next ones begin."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(_("Too many calls; the next one is possible in %(seconds)s s.") % {"seconds": wait_seconds})
        self.wait_seconds = wait_seconds


def take_turn(person_id: int, *, now: datetime) -> None:
    """Count one call of the person. `now` is real time. Raises `TooManyCalls`."""
    minute, second = divmod(int(now.timestamp()), 60)
    key = f"vitrina:api:{person_id}:{minute}"
    try:
        redis = connection_to_redis(settings.REDIS_URL)
        count = int(redis.incr(key))
        if count == 1:
            redis.expire(key, 120)
    except RedisError as error:
        log.warning("Redis is unavailable (%s): calls of the API are not counted", error)
        return
    if count > settings.API_CALLS_PER_MINUTE:
        raise TooManyCalls(60 - second)


@cache
def connection_to_redis(url: str) -> Redis:
    return redis_at(url)
