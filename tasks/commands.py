"""Carrying out approved changes."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.decisions import executor, sweeper
from apps.experiments import lifecycle
from tasks.base import TICK


@shared_task
def run(command_id: int) -> None:
    """One step of a command, and the experiment that a verified one starts. A copy of the message finds a lease."""
    now = clock.now()
    command = executor.run(command_id, now=now)
    if command is not None:
        lifecycle.start_after(command=command, now=now)


@shared_task(**TICK)
def sweep() -> None:
    sweeper.sweep()
