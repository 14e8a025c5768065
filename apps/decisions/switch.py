"""The kill switch: no send begins after its commit.

A send holds shared locks from before it looks at the switches until its call has ended (`executor.py`). Turning a
switch on asks for the same lock alone, so it waits for the calls under way and then commits. It waits as long as a
lease lasts: a worker that still holds the lock then sleeps or hangs, and makes no call on a lease that is over.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from apps.common.db import take_lock
from apps.shops.audit import record
from apps.shops.models import KillSwitch, Person, Shop

log = logging.getLogger(__name__)


@transaction.atomic
def turn(*, on: bool, shop: Shop | None, by: Person | None) -> KillSwitch:
    """Stop or allow every outside change of `shop`, or of the whole installation when `shop` is None.

    The caller has checked the right: `Action.STOP` for a shop, a superuser for the installation.
    """
    if on:
        _wait_for_sends(shop)
    switch, _ = KillSwitch.objects.update_or_create(shop=shop, defaults={"is_on": on, "changed_by": by})
    record("switch.on" if on else "switch.off", actor=by, shop=shop)
    return switch


def _wait_for_sends(shop: Shop | None) -> None:
    lease = settings.HTTP_DEADLINE_SECONDS + settings.LEASE_MARGIN_SECONDS
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select set_config('statement_timeout', '0', true)")
            cursor.execute("select set_config('lock_timeout', %s, true)", [f"{lease}s"])
            take_lock("sending", shop.pk if shop else "all")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("a worker has held its send for longer than a lease; the switch is turned without it")
