"""Which version of a shop's store answers now."""

from __future__ import annotations

import logging
import time

from django.db.models import QuerySet

from apps.analytics.models import StoreVersion
from apps.common.clock import real_now

log = logging.getLogger(__name__)

LAYOUT = 2  # raised with every change of what the tables of a file mean: files are built anew then
REMEMBERED_SECONDS = (
    0.5  # a question is answered in a few milliseconds; asking PostgreSQL each time would be half of them
)

_remembered: dict[int, tuple[float, StoreVersion]] = {}


def latest(shop_id: int) -> StoreVersion | None:
    """The newest version that nobody found damaged, as PostgreSQL says it now."""
    return sound(shop_id).first()


def sound(shop_id: int) -> QuerySet[StoreVersion]:
    """The versions that this program can answer from, the newest first."""
    return StoreVersion.objects.filter(shop=shop_id, damaged_at=None, layout=LAYOUT).order_by("-number")


def current(shop_id: int) -> StoreVersion | None:
    """The same, as it was half a second ago at most."""
    read_at, version = _remembered.get(shop_id, (0.0, None))
    if version is None or time.monotonic() - read_at > REMEMBERED_SECONDS:
        version = latest(shop_id)
        if version is not None:
            _remembered[shop_id] = (time.monotonic(), version)
    return version


def has_damaged_since(version: StoreVersion) -> bool:
    """Whether a later version was found damaged, or is of another layout: what that one had taken in is marked as
    missing no more."""
    return StoreVersion.objects.filter(shop=version.shop_id, number__gt=version.number).exists()


def forget(shop_id: int) -> None:
    _remembered.pop(shop_id, None)


def mark_damaged(version: StoreVersion, found: str) -> None:
    """Have the version before answer, in every process, and the next build start from PostgreSQL."""
    log.error("version %s of the store of shop %s is damaged: %s", version.number, version.shop_id, found)
    StoreVersion.objects.filter(pk=version.pk, damaged_at=None).update(damaged_at=real_now())
    forget(version.shop_id)
