"""Telling the owners what the watchdog found."""

from __future__ import annotations

from django.db import transaction

from apps.jobs.watchdog import Alarm, alarms
from apps.notifications.outbox import people_who_may, tell
from apps.shops.models import Seller
from apps.shops.roles import Action


@transaction.atomic
def tell_alarms() -> int:
    """One message to each owner for each alarm, once however often this runs. Returns how many alarms there are."""
    found = alarms()
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
