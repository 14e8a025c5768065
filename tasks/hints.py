"""Reading again what a marketplace has hinted at."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.jobs import hints as waiting
from apps.sales import hints
from tasks.base import TICK


@shared_task
def follow() -> None:
    hints.follow(now=clock.now())


@shared_task(**TICK)
def sweep() -> None:
    waiting.sweep()
