"""Numbers of orders that are missing between those we have: each is asked for, and remembered when it is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from django.db import connection

from apps.common.bulk import upsert
from apps.common.clock import real_now
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import KeyCrm
from apps.marketplaces.paging import BadRow
from apps.sales import crm_sync
from apps.sales.models import MissingOrder
from apps.shops.models import Shop

MOST_LOOKED_FOR = 500  # in one run, each a call of its own
AT_ONCE = 20
LOOKED_FOR_AGAIN = timedelta(days=30)
NOT_THERE = "404"
LONGEST_REASON = 300

MISSING = """
    with numbers as (
        select external_id::bigint as id, lead(external_id::bigint) over (order by external_id::bigint) as following
        from orders
        where shop_id = %(shop)s
    )
    select missing.id
    from numbers
    cross join lateral generate_series(numbers.id + 1, numbers.following - 1) as missing (id)
    where numbers.following - numbers.id > 1 and not exists (
        select from sales_missingorder as known
        where known.shop_id = %(shop)s and known.external_id = missing.id and known.look_again_on > %(today)s
    )
    order by missing.id desc
    limit %(most)s
"""


class Looked(NamedTuple):
    """An order that was asked for by its number; None: it is not there."""

    external_id: int
    order: schemas.Order | None


def sync_gaps(work: Work[KeyCrm]) -> bool:
    """The newest first. What is found is stored as any other order."""

    def fetch(cursor: str) -> Iterator[Batch[Looked]]:
        ids = missing_ids(work)
        for start in range(0, max(len(ids), 1), AT_ONCE):
            looked = [Looked(one, work.client.order(one)) for one in ids[start : start + AT_ONCE]]
            last = start + AT_ONCE >= len(ids)
            yield Batch(looked, (), len(looked), cursor="", last=last, announced=None)

    return follow(work, Reading("order_gaps", fetch, partial(_store, work)))


def missing_ids(work: Work[KeyCrm]) -> list[int]:
    """Numbers between those of our orders, without the ones that were not there lately."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING, {"shop": work.shop.pk, "today": work.today, "most": MOST_LOOKED_FOR})
        return [external_id for (external_id,) in cursor.fetchall()]


def remember_missing(work: Work[KeyCrm], reasons: dict[int, str]) -> None:
    """Have these not looked for again for a while, and show why they are not in the books."""
    again_on = work.today + LOOKED_FOR_AGAIN
    rows = (
        (work.shop.pk, external_id, reason[:LONGEST_REASON], real_now(), again_on)
        for external_id, reason in reasons.items()
    )
    upsert(MissingOrder, rows, key=("shop_id", "external_id"), columns=("reason", "looked_at", "look_again_on"))


def forget_found(shop: Shop, external_ids: Sequence[int]) -> None:
    MissingOrder.objects.filter(shop=shop, external_id__in=external_ids).delete()


def unusable(bad_rows: Sequence[BadRow]) -> dict[int, str]:
    """Why orders that came could not be stored, by their numbers."""
    return {int(bad.id): bad.reason for bad in bad_rows if bad.id}


def _store(work: Work[KeyCrm], rows: Sequence[Looked]) -> Stored:
    found = [row.order for row in rows if row.order is not None]
    stored = crm_sync.store(work, found)
    reasons = {row.external_id: NOT_THERE for row in rows if row.order is None} | unusable(stored.bad_rows)
    remember_missing(work, reasons)
    forget_found(work.shop, [row.order_id for row in found if row.order_id not in reasons])
    return stored
