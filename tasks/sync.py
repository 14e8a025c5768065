"""The next slice of a sync."""

from __future__ import annotations

from celery import shared_task

from tasks import runners


@shared_task
def step(run_id: int) -> None:
    """Go on with a run that handed itself on: the same as `jobs.run`, on the queue of the syncs."""
    runners.carry_out(run_id)
