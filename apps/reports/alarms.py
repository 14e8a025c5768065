"""Telling the owners what the watchdog found, and what is wrong with their keys."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.jobs.watchdog import Alarm, alarms
from apps.notifications.outbox import people_who_may, tell
from apps.reports.key_alarms import key_alarms
from apps.shops.models import Seller
from apps.shops.roles import Action


@transaction.atomic
def tell_alarms(*, now: datetime) -> int:
    """One message to each owner for each alarm, once however often this runs. Returns how many alarms there are."""
    found = [*alarms(now=now), *key_alarms(now=now)]
    for alarm in found:
        for seller in [alarm.seller] if alarm.seller else Seller.objects.order_by("pk"):
            _tell(alarm, seller)
    return len(found)


def _tell(alarm: Alarm, seller: Seller) -> None:
    tell(
        name=alarm.name,
        key=f"{alarm.key}:{seller.pk}",
        seller=seller,
        people=people_who_may(seller, Action.MANAGE),
        params=alarm.params,
    )
