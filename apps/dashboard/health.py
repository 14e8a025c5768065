"""/api/health: whether each part can do its work. Open to anyone; figures are for the people of the shops."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import duckdb
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from ninja import Router
from redis.exceptions import RedisError

from apps.analytics import questions
from apps.analytics.errors import NotBuilt
from apps.analytics.shapes import ALL_TYPES, Filters
from apps.catalog.models import Product
from apps.common.clock import real_now
from apps.common.periods import Period
from apps.dashboard.limits import connection_to_redis
from apps.dashboard.parameters import FIRST_DAY, LAST_DAY
from apps.dashboard.wire import Json, dump
from apps.jobs.models import Pulse
from apps.jobs.watchdog import CLOCK
from apps.shops.asking import member_of_request
from apps.shops.models import Member, Shop

router = Router(tags=["Health"])

log = logging.getLogger(__name__)

EVER = Period(FIRST_DAY, LAST_DAY)
STARTED_AT = time.monotonic()
UP, DOWN = "up", "down"


@dataclass(frozen=True)
class Part:
    """`status` is up or down."""

    status: str
    latency_ms: float


@dataclass(frozen=True)
class StorePart(Part):
    """The read store. Its figures are those of the caller's shops; null for a stranger."""

    orders: int | None = None
    products: int | None = None
    as_of: datetime | None = None
    behind_since: datetime | None = None


@dataclass(frozen=True)
class Health:
    """`status` is healthy, or degraded when a part is down."""

    status: str
    version: str
    uptime_seconds: int
    correlation_id: str
    duckdb: StorePart
    database: Part
    broker: Part
    workers: Part


@router.get("/health", response=Health)
def health(request: HttpRequest) -> HttpResponse:
    """Whether each part can do its work. It answers 200 also when one cannot; /healthz is for a load balancer."""
    parts = {"database": _look(_database), "broker": _look(_broker), "workers": _look(_workers)}
    store = _store(member_of_request(request)) if parts["database"].status == UP else StorePart(DOWN, 0.0)
    is_healthy = all(part.status == UP for part in (store, *parts.values()))
    found = Health(
        status="healthy" if is_healthy else "degraded",
        version=settings.RELEASE,
        uptime_seconds=int(time.monotonic() - STARTED_AT),
        correlation_id=uuid4().hex,
        duckdb=store,
        **parts,
    )
    return HttpResponse(dump(found), content_type=Json.media_type)


def _look(is_up: Callable[[], bool]) -> Part:
    began = time.perf_counter()
    return Part(UP if is_up() else DOWN, _ms_since(began))


def _store(member: Member | None) -> StorePart:
    """Asked about the shops of the caller; for a stranger about any one."""
    at_work = Shop.objects.filter(is_active=True).order_by("pk")
    shops = at_work.of(member.seller) if member else at_work[:1]
    began = time.perf_counter()
    try:
        orders = sum(questions.summary(Filters((shop.pk,), EVER, ALL_TYPES)).orders for shop in shops)
        versions = questions.version(tuple(shop.pk for shop in shops)) if shops else ()
    except (NotBuilt, OSError, duckdb.Error) as error:
        log.warning("the read store does not answer: %s", error)
        return StorePart(DOWN, _ms_since(began))
    if member is None:
        return StorePart(UP, _ms_since(began))
    behind = [version.behind_since for version in versions if version.behind_since]
    return StorePart(
        UP,
        _ms_since(began),
        orders=orders,
        products=Product.objects.of(member.seller).count(),
        as_of=min((version.as_of for version in versions), default=None),
        behind_since=min(behind, default=None),
    )


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


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
