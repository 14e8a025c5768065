"""Standing still: what must not change between the last look before a send and its end waits here for the sends.

A send holds shared locks from before that look until its call has ended. Whoever changes what was looked at asks for
the same lock alone, and holds it until the change is committed.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from apps.common.db import take_lock
from apps.shops.models import Shop

log = logging.getLogger(__name__)


def wait_for_sends(shop: Shop | None) -> None:
    """Wait for the calls under way of `shop` (None: of every shop), as long as a lease lasts; needs a transaction.

    A worker that still holds the lock then sleeps or hangs, and makes no call on a lease that is over.
    """
    lease = settings.HTTP_DEADLINE_SECONDS + settings.LEASE_MARGIN_SECONDS
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select set_config('statement_timeout', '0', true)")
            cursor.execute("select set_config('lock_timeout', %s, true)", [f"{lease}s"])
            take_lock("sending", shop.pk if shop else "all")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("a worker has held its send for longer than a lease; nobody waits for it any longer")
