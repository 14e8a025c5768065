"""The clock's tasks: claiming slots, running what was claimed, catching up, watching."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import transaction

from apps.common import clock
from apps.jobs import catch_up as catching_up
from apps.jobs import watchdog as watching
from apps.jobs.timetable import Queue
from apps.reports.alarms import tell_alarms
from tasks import health, runners
from tasks.base import TICK

log = logging.getLogger(__name__)


@shared_task(**TICK)
def fire(job: str, shop_id: int | None) -> None:
    """What a row of the schedule sends when it is due."""
    catching_up.fire(job=job, shop_id=shop_id, now=clock.now())


@shared_task
def run(run_id: int) -> None:
    """Carry out a claimed run. A copy of the message finds a lease, or nothing to do."""
    runners.carry_out(run_id)


@shared_task(**TICK)
def catch_up() -> None:
    caught_up = catching_up.catch_up(now=clock.now())
    if caught_up.claimed or caught_up.given_up:
        log.warning("the clock had missed something: %s", caught_up)


@shared_task(**TICK)
def watchdog() -> None:
    """Tell what is wrong, note that the clock goes, and ask every queue for a sign of life."""
    now = clock.now()
    with transaction.atomic():
        tell_alarms(now=now)
        watching.tick(now=now)
    for queue in Queue:
        health.ping.apply_async([queue], queue=queue, expires=60)
    watching.ping_outside()
