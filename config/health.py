"""Whether this process can do its work: the answer a load balancer or a deployment waits for."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.backoff import NoBackoff
from redis.retry import Retry


def healthz(request: HttpRequest) -> JsonResponse:
    """200 with the build's name when PostgreSQL and Redis answer, else 503 that names what does not."""
    parts = {"postgres": _postgres_answers(), "redis": _redis_answers()}
    healthy = all(parts.values())
    body = {"status": "ok" if healthy else "down", "release": settings.RELEASE, **parts}
    return JsonResponse(body, status=200 if healthy else 503)


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
