"""Asking about the keys that are refused or were never checked."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.jobs.wake import wake
from apps.marketplaces.errors import ApiError
from apps.shops import key_check
from tasks.base import TICK

log = logging.getLogger(__name__)


@shared_task(**TICK)
def sweep() -> None:
    for key_id in key_check.due().order_by("pk").values_list("pk", flat=True):
        wake("keys.probe", key_id)


@shared_task(**TICK)
def probe(key_id: int) -> None:
    """One question about one key; where nobody answers it is asked again later."""
    try:
        key_check.probe(key_id)
    except ApiError as error:
        log.warning("nobody can tell about key %s now: %s", key_id, error)
