"""What was read for a hint is stored only when no sync has read the shop meanwhile: a sync may know better by now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from apps.jobs.ledger import one_at_a_time
from apps.jobs.models import JobRun
from apps.shops.models import Shop

SYNCS = ("ozon_sync", "keycrm_sync", "keycrm_night")


class Overtaken(Exception):
    """A sync has begun while hints were read: it may know better by now."""


def is_syncing(shop: Shop) -> bool:
    return JobRun.objects.filter(shop=shop, job__in=SYNCS, state=JobRun.State.RUNNING).exists()


@contextmanager
def unless_overtaken(shop: Shop, began: datetime) -> Iterator[None]:
    """A transaction in which no sync of the shop can begin. Raises `Overtaken` when one has after `began` (real)."""
    with transaction.atomic():
        for job in SYNCS:
            one_at_a_time(job, shop.pk)
        finished = JobRun.objects.filter(shop=shop, job__in=SYNCS, finished_at__gte=began)
        if is_syncing(shop) or finished.exists():
            raise Overtaken("a sync has begun meanwhile")
        yield
