"""Whether this process can serve people: the answer a load balancer or a deployment waits for."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry


def healthz(request: HttpRequest) -> JsonResponse:
    """With the build's name and what answers: 200 while PostgreSQL does, for pages are then served and a yes is taken.

    Without Redis the work itself waits, which is "degraded"; without PostgreSQL there is nothing to serve: 503.
    """
    postgres, redis_too = _postgres_answers(), _redis_answers()
    status = ("ok" if redis_too else "degraded") if postgres else "down"
    body = {"status": status, "release": settings.RELEASE, "postgres": postgres, "redis": redis_too}
    return JsonResponse(body, status=200 if postgres else 503)


def _postgres_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    at_once = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
    with redis.from_url(settings.REDIS_URL, **at_once) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
