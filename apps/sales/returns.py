"""What came back, with its day: the returns after delivery that leave a posting `delivered` are told nowhere else.

A return of a posting that is itself cancelled or returned is counted by the posting (`postings.py`), never twice. No
more comes back than was sold: what the list tells beyond that is counted in no fact, and told (`beyond_sales`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum

from apps.common.bulk import upsert
from apps.common.periods import day_of, start_of
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, latest_complete
from apps.marketplaces.ozon_seller import returns
from apps.sales.models import Order, OrderLine, Return, SalesHistory
from apps.sales.rollup import touch
from apps.sales.sync import EARLIER, PAGES_AT_ONCE
from apps.shops.models import Shop

SOURCE = "returns"
COUNTED_BY_THE_POSTING = (Order.Status.CANCELLED, Order.Status.RETURNED)
MOST_EXAMPLES = 20
LONGEST_NUMBER, LONGEST_KIND = 100, 40
COLUMNS = ("posting_number", "sku", "quantity", "kind", "returned_on")


def sync_returns(work: Work) -> bool:
    """Returns whose status has changed since the last sync; the first one reads as far back as sales are known."""
    last = latest_complete(work.shop, SOURCE)
    history = SalesHistory.objects.get(shop=work.shop)
    since = last.as_of if last else start_of(history.sales_from, work.shop.timezone)

    def fetch(cursor: str) -> Iterator[Batch[returns.Return]]:
        pages = work.client.returns(changed_since=since - EARLIER, changed_to=work.as_of, cursor=cursor)
        return Batch.joined(pages, most=PAGES_AT_ONCE)

    return follow(work, Reading(SOURCE, fetch, partial(_store, work.shop)))


def beyond_sales(shop: Shop) -> dict[str, Any]:
    """Units that came back beyond what was sold: how many, and of which postings; {} where there are none."""
    sold = OrderLine.objects.filter(
        order__shop=shop, order__external_id=OuterRef("posting_number"), external_product_id=OuterRef("sku")
    ).exclude(order__status__in=COUNTED_BY_THE_POSTING)
    units = sold.order_by().values("external_product_id").annotate(units=Sum("quantity")).values("units")
    came_back = Return.objects.filter(shop=shop, returned_on__isnull=False).order_by("posting_number")
    of_lines = came_back.values("posting_number", "sku").annotate(back=Sum("quantity"), sold=Subquery(units))
    excess: Counter[str] = Counter()
    for number, back, most in of_lines.filter(back__gt=F("sold")).values_list("posting_number", "back", "sold"):
        excess[number] += back - most
    return {"units": excess.total(), "examples": dict(excess.most_common(MOST_EXAMPLES))} if excess else {}


def _store(shop: Shop, rows: Sequence[returns.Return]) -> Stored:
    external_ids = [str(row.return_id) for row in rows]
    before = dict(
        Return.objects.filter(shop=shop, external_id__in=external_ids).values_list("external_id", "returned_on")
    )
    written = upsert(
        Return,
        ((shop.pk, str(row.return_id), *_columns(shop, row)) for row in rows),
        key=("shop_id", "external_id"),
        columns=COLUMNS,
        returning=("external_id", "posting_number", "returned_on"),
    )
    numbers = {number for _, number, _ in written.rows}
    days = {*(before.get(external_id) for external_id, _, _ in written.rows), *_returned_on(shop, numbers)}
    touch(shop, _known({*days, *_sold_on(shop, numbers)}))
    return Stored(written.written)


def _columns(shop: Shop, row: returns.Return) -> tuple[object, ...]:
    came_back = row.logistic.return_date if row.logistic else None
    day = day_of(came_back, shop.timezone) if came_back else None
    number, kind = fit(row.posting_number, LONGEST_NUMBER), fit(row.kind, LONGEST_KIND)
    return number, str(row.product.sku), row.product.quantity, kind, day


def _returned_on(shop: Shop, posting_numbers: Collection[str]) -> Iterable[date | None]:
    """The days of all returns of these postings: how much one of them counts depends on those before it."""
    found = Return.objects.filter(shop=shop, posting_number__in=posting_numbers)
    return found.values_list("returned_on", flat=True).distinct()


def _sold_on(shop: Shop, posting_numbers: Collection[str]) -> Iterable[date]:
    return Order.objects.filter(shop=shop, external_id__in=posting_numbers).values_list("placed_on", flat=True)


def _known(days: Iterable[date | None]) -> Iterator[date]:
    return (day for day in days if day is not None)
