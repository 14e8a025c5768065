"""What happens to proposals by the clock."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.decisions import approval
from tasks.base import TICK


@shared_task(**TICK)
def expire() -> None:
    approval.expire_due(now=clock.now())
