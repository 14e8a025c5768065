"""What happens to proposals by the clock."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.decisions import approval, undo
from tasks.base import TICK


@shared_task(**TICK)
def expire() -> None:
    """End what nobody decided on in time or can decide on, and take the button off what can be undone no longer."""
    now = clock.now()
    approval.expire_due(now=now)
    approval.close_hopeless(now=now)
    undo.close_windows(now=now)
