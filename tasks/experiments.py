"""What happens to experiments by the clock."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.experiments import lifecycle
from tasks.base import TICK


@shared_task(**TICK)
def sweep() -> None:
    """Start, or end, what a crash left out between a command's verification and its experiment."""
    lifecycle.start_missing(now=clock.now())
