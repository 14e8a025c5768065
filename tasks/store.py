"""Keeping the read store up to date."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.analytics import build, freshness
from apps.analytics.errors import StoreBusy
from apps.common.clock import real_now
from apps.shops.models import Shop
from tasks.base import TICK

log = logging.getLogger(__name__)


@shared_task
def refresh(shop_id: int) -> None:
    """A copy of the message finds another at work, or nothing that has changed."""
    try:
        build.refresh(Shop.objects.get(pk=shop_id))
    except StoreBusy as error:
        log.info("%s; the sweep comes again", error)


@shared_task(**TICK)
def sweep() -> None:
    freshness.wake_due(now=real_now())
