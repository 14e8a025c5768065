"""/api/health: whether each part can do its work. Open to anyone; figures are for the people of the shops."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from ninja import Router
from redis.exceptions import RedisError

from apps.common.clock import real_now
from apps.dashboard.limits import connection_to_redis
from apps.dashboard.wire import Json, dump
from apps.jobs.models import Pulse
from apps.jobs.watchdog import CLOCK

router = Router(tags=["Health"])

STARTED_AT = time.monotonic()
UP, DOWN = "up", "down"


@dataclass(frozen=True)
class Part:
    """`status` is up or down."""

    status: str
    latency_ms: float


@dataclass(frozen=True)
class Health:
    """`status` is healthy, or degraded when a part is down."""

    status: str
    version: str
    uptime_seconds: int
    correlation_id: str
    database: Part
    broker: Part
    workers: Part


@router.get("/health", response=Health)
def health(request: HttpRequest) -> HttpResponse:
    parts = {"database": _look(_database), "broker": _look(_broker), "workers": _look(_workers)}
    is_healthy = all(part.status == UP for part in parts.values())
    found = Health(
        status="healthy" if is_healthy else "degraded",
        version=settings.RELEASE,
        uptime_seconds=int(time.monotonic() - STARTED_AT),
        correlation_id=uuid4().hex,
        **parts,
    )
    return HttpResponse(dump(found), content_type=Json.media_type)


def _look(is_up: Callable[[], bool]) -> Part:
    began = time.perf_counter()
    status = UP if is_up() else DOWN
    return Part(status, round((time.perf_counter() - began) * 1000, 1))


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError:
        return False
    return True


def _broker() -> bool:
    try:
        return bool(connection_to_redis(settings.REDIS_URL).ping())
    except RedisError:
        return False


def _workers() -> bool:
    """The clock's tick is a task that a worker has done: its age tells of the clock and the worker alike."""
    since = real_now() - timedelta(seconds=settings.TICK_ALERT_SECONDS)
    try:
        return Pulse.objects.filter(part=CLOCK, at__gt=since).exists()
    except DatabaseError:
        return False
