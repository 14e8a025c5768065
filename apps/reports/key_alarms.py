"""What the owners must know of their keys: refused ones, and those that are about to expire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from apps.jobs.watchdog import Alarm
from apps.shops.key_words import warned_days
from apps.shops.models import Credential


def key_alarms(*, now: datetime) -> Iterator[Alarm]:
    """The same outage, and the same warning about the same end, have the same key each time. `now` is business time."""
    for key in Credential.objects.filter(shop__is_active=True).select_related("shop__seller").order_by("pk"):
        seller, params = key.shop.seller, {"credential": key.pk}
        if key.problem and key.problem_at:
            yield Alarm("key_problem", f"key_problem:{key.pk}:{key.problem_at.isoformat()}", params, seller)
        days = warned_days(key, now)
        if days is not None and key.expires_at:
            yield Alarm("key_expires", f"key_expires:{key.pk}:{key.expires_at.date()}:{days}", params, seller)
