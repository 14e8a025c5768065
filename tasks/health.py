"""The probe of a queue: a worker that answers a broker's ping may be deaf; one that executes this is not."""

from __future__ import annotations

from celery import shared_task

from apps.jobs import watchdog
from tasks.base import TICK


@shared_task(**TICK)
def ping(queue: str) -> None:
    watchdog.beat(watchdog.queue_part(queue))
