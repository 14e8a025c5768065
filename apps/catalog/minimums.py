"""Until when the products' minimum prices are in force: OZON lets one lapse after thirty days, unless it is renewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection
from django.db.models import Count, Min

from apps.catalog.models import Product
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow
from apps.marketplaces.ozon_seller.schemas import PriceTimer
from apps.shops.models import Shop

BATCH = 1000
WARNED_BEFORE = timedelta(days=5)


@dataclass(frozen=True)
class EndingMinimums:
    """How many minimum prices soon end to be in force, and when the first of them does."""

    count: int
    first_at: datetime


def sync_minimums(work: Work) -> bool:
    """The timers of all products that have a minimum price; the cursor is our id of the last product asked for."""

    def fetch(cursor: str) -> Iterator[Batch[PriceTimer]]:
        products = Product.objects.filter(shop=work.shop, min_price__isnull=False, pk__gt=int(cursor or 0))
        asked = list(products.order_by("pk").values_list("pk", "external_id"))
        for start in range(0, max(len(asked), 1), BATCH):
            batch = asked[start : start + BATCH]
            pages = list(work.client.price_timers([int(external_id) for _, external_id in batch]))
            rows = [row for page in pages for row in page.rows]
            bad_rows = [bad for page in pages for bad in page.bad_rows]
            last = start + BATCH >= len(asked)
            position = str(batch[-1][0]) if batch else ""
            yield Batch(rows, bad_rows, len(rows) + len(bad_rows), position, last, announced=None)

    at_end = partial(_forget_timers, work.shop)
    return follow(work, Reading("minimums", fetch, lambda rows: Stored(_store(work.shop, rows)), at_end))


def ending_minimums(shop: Shop, now: datetime) -> EndingMinimums | None:
    """Those that end within `WARNED_BEFORE`; None when there are none."""
    soon = Product.objects.filter(
        shop=shop, is_archived=False, min_price__isnull=False, min_price_until__range=(now, now + WARNED_BEFORE)
    )
    found = soon.aggregate(count=Count("pk"), first_at=Min("min_price_until"))
    return EndingMinimums(found["count"], found["first_at"]) if found["count"] else None


def _store(shop: Shop, rows: Sequence[PriceTimer]) -> int:
    """Write what differs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update products set min_price_until = timer.until"
            " from unnest(%s::text[], %s::timestamptz[]) as timer (external_id, until)"
            " where products.shop_id = %s and products.external_id = timer.external_id"
            " and products.min_price_until is distinct from timer.until",
            [[str(row.product_id) for row in rows], [row.expired_at for row in rows], shop.pk],
        )
        return int(cursor.rowcount)


def _forget_timers(shop: Shop) -> None:
    """A product that lost its minimum price has lost its timer too."""
    Product.objects.filter(shop=shop, min_price=None, min_price_until__isnull=False).update(min_price_until=None)
