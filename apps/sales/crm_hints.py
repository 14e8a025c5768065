"""Following a CRM's hints: each order is read by its number, a call for each, and stored as read.

What was read while a sync began is not stored, as with a marketplace's. An order that is not there any more is left to
the night's comparison, which removes it with its day.
"""

from __future__ import annotations

from datetime import datetime

from apps.common.clock import real_now
from apps.common.periods import day_of
from apps.jobs.hints import done, waiting_hints
from apps.jobs.models import Hint
from apps.jobs.sync_runs import latest_complete
from apps.marketplaces.keycrm.client import KeyCrm
from apps.sales import crm_orders
from apps.sales.crm_sync import ALL
from apps.sales.overtaken import unless_overtaken
from apps.shops.models import Shop

ORDERS_AT_ONCE = 20  # a call each: some are stored before the calls of a minute are used up


def follow(shop: Shop, client: KeyCrm, now: datetime) -> int:
    """Returns how many were followed; before the first load there is nothing to follow them into.

    Raises `Overtaken`, and an `ApiError`; what was followed before stays so.
    """
    count = 0
    while waiting := waiting_hints(shop, Hint.Topic.ORDER)[:ORDERS_AT_ONCE]:
        began = real_now()
        if latest_complete(shop, ALL) is not None:
            read = [client.order(int(hint.subject)) for hint in waiting]
            with unless_overtaken(shop, began):
                # Seen now, not in the morning: what has ended since the last look has ended today.
                found = [order for order in read if order is not None]
                crm_orders.store(shop, found, last_day=day_of(now, shop.timezone))
        count += done(waiting)
    return count
