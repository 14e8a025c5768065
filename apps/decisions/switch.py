"""The kill switch: nothing is sent after its commit.

A send holds shared locks from before it looks at the switches until its call has ended (`executor.py`); turning a
switch on takes the same locks exclusively, so it waits for calls under way, at most their deadline, and then commits.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

from apps.common.db import take_lock
from apps.shops.audit import record
from apps.shops.models import KillSwitch, Person, Shop


@transaction.atomic
def turn(*, on: bool, shop: Shop | None, by: Person | None) -> KillSwitch:
    """Stop or allow every outside change of `shop`, or of the whole installation when `shop` is None.

    The caller has checked the right: `Action.STOP` for a shop, a superuser for the installation.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('lock_timeout', %s, true)",
            [f"{settings.HTTP_DEADLINE_SECONDS + settings.LEASE_MARGIN_SECONDS}s"],
        )
    take_lock("sending", shop.pk if shop else "all")
    switch, _ = KillSwitch.objects.update_or_create(shop=shop, defaults={"is_on": on, "changed_by": by})
    record("switch.on" if on else "switch.off", actor=by, shop=shop)
    return switch
