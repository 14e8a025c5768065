"""When a store is brought up to date: soon after the last of many changes, not after each."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min, Q

from apps.analytics.manifest import LAYOUT
from apps.analytics.models import StaleDay, StoreVersion
from apps.jobs.wake import wake
from apps.shops.models import Shop

QUIET = timedelta(seconds=5)  # nobody writes any more
LONGEST_WAIT = timedelta(minutes=10)  # while a first load writes for hours


def wake_due(*, now: datetime) -> None:
    """Have the stores refreshed that lack something, or have a version that is damaged or of an older program. `now` is
    real time."""
    StaleDay.objects.exclude(shop__in=Shop.objects.all()).delete()
    marks = StaleDay.objects.values("shop").annotate(oldest=Min("changed_at"), newest=Max("changed_at"))
    due = marks.filter(Q(newest__lt=now - QUIET) | Q(oldest__lt=now - LONGEST_WAIT)).values_list("shop", flat=True)
    useless = StoreVersion.objects.exclude(damaged_at=None, layout=LAYOUT).values_list("shop", flat=True)
    for shop_id in sorted({*due, *useless}):
        wake("store.refresh", shop_id)
