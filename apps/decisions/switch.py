"""The kill switch: no send begins after its commit.

A send holds shared locks from before it looks at the switches until its call has ended (`executor.py`). Turning a
switch on asks for the same lock alone, so it waits for the calls under way and then commits. It waits as long as a
lease lasts: a worker that still holds the lock then sleeps or hangs, and makes no call on a lease that is over.
"""

from __future__ import annotations

from django.db import transaction

from apps.shops.audit import record
from apps.shops.models import KillSwitch, Person, Shop
from apps.shops.sending import wait_for_sends


@transaction.atomic
def turn(*, on: bool, shop: Shop | None, by: Person | None) -> KillSwitch:
    """Stop or allow every outside change of `shop`, or of the whole installation when `shop` is None.

    The caller has checked the right: `Action.STOP` for a shop, a superuser for the installation.
    """
    if on:
        wait_for_sends(shop)
    switch, _ = KillSwitch.objects.update_or_create(shop=shop, defaults={"is_on": on, "changed_by": by})
    record("switch.on" if on else "switch.off", actor=by, shop=shop)
    return switch
