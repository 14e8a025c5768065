"""Hints that something at a marketplace has changed: kept once each, and followed by whoever reads the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.jobs.models import Hint
from apps.jobs.wake import wake
from apps.shops.models import Shop

MOST_WAITING = 10_000  # of a shop: the daily sync reads the rest
AT_ONCE = 100  # of a kind and shop: what one call takes


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


def waiting_hints(shop: Shop, topic: Hint.Topic) -> list[Hint]:
    """The oldest of them, as many as are followed at once."""
    return list(Hint.objects.filter(shop=shop, topic=topic).order_by("pk")[:AT_ONCE])


def done(followed: Sequence[Hint]) -> int:
    """These were read. One that came again while the API was asked stays, to be read once more."""
    if followed:
        last = max(hint.created_at for hint in followed)
        Hint.objects.filter(pk__in=[hint.pk for hint in followed], created_at__lte=last).delete()
    return len(followed)
