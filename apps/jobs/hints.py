"""Hints that something at a marketplace has changed: kept once each, and followed by whoever reads the API."""

from __future__ import annotations

from collections.abc import Iterable

from apps.jobs.models import Hint
from apps.jobs.wake import wake
from apps.shops.models import Shop

MOST_WAITING = 10_000  # of a shop: the daily sync reads the rest


def hint(*, shop: Shop, topic: Hint.Topic, subjects: Iterable[str]) -> None:
    """Have these read again. Hinting twice is as good as once; what is too much waits for the daily sync."""
    if Hint.objects.filter(shop=shop).count() >= MOST_WAITING:
        return
    rows = [Hint(shop=shop, topic=topic, subject=subject) for subject in sorted(set(subjects))]
    if rows:
        Hint.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["shop", "topic", "subject"], update_fields=["created_at"]
        )
        wake("hints.follow")


def sweep() -> None:
    """Wake whoever follows hints, where some wait."""
    if Hint.objects.exists():
        wake("hints.follow")
