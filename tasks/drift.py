"""Looking whether what was set still stands."""

from __future__ import annotations

from celery import shared_task

from apps.common import clock
from apps.experiments import drift
from apps.shops.models import Shop
from tasks.base import TICK


@shared_task(**TICK)
def sweep() -> None:
    drift.wake_due(now=clock.now())


@shared_task
def look(shop_id: int) -> None:
    """A copy of the message finds nothing due, or finds the same: what has changed is told once."""
    drift.look_due(shop=Shop.objects.get(pk=shop_id), now=clock.now())
