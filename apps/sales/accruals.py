"""OZON's accruals: what it paid and charged, day by day, a row for each product and type in an accrual.

Late rows appear in days of the past, so each sync reads the last `REREAD_DAYS` again, and whatever was never read. A
day is read to its end and stored as a whole; beside a row that could not be read nothing is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from apps.common.bulk import upsert
from apps.common.periods import Period, day_of
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Doubtful, Reading, Stored, Work, follow, latest_complete, whole
from apps.marketplaces.ozon_seller.accruals import Accrual as Row
from apps.marketplaces.ozon_seller.accruals import AccrualType as TypeRow
from apps.marketplaces.paging import BadRow
from apps.sales.models import Accrual, AccrualType
from apps.sales.postings import Products
from apps.shops.models import Shop

SOURCE = "accruals"
HISTORY_DAYS, REREAD_DAYS = 60, 30
LONGEST_NAME, LONGEST_UNIT = 200, 100
KEY = ("shop_id", "external_id", "sku", "type_code")
COLUMNS = ("day", "category", "unit_number", "product_id", "amount", "currency")


@dataclass(frozen=True)
class Day:
    """All accruals of a day; `is_whole` when every row could be read."""

    day: date
    accruals: tuple[Row, ...]
    is_whole: bool


def sync_accrual_types(work: Work) -> bool:
    """The directory; a type that OZON no longer lists keeps its name, for it may stand in the past."""

    def fetch(cursor: str) -> Iterator[Batch[TypeRow]]:
        yield Batch.of(work.client.accrual_types())

    def store(rows: Sequence[TypeRow]) -> Stored:
        named = ((work.shop.pk, str(row.type_id), fit(row.name, LONGEST_NAME), row.description) for row in rows)
        key, columns = ("shop_id", "external_id"), ("name", "description")
        return Stored(upsert(AccrualType, named, key=key, columns=columns).written)

    return follow(work, Reading("accrual_types", fetch, store))


def sync_accruals(work: Work) -> bool:
    """Day by day; the cursor is the last day that was stored."""
    days = _days(work)
    products = Products.of(work.shop)

    def fetch(cursor: str) -> Iterator[Batch[Day]]:
        for day in days:
            if not cursor or day > date.fromisoformat(cursor):
                yield _read(work, day, last=day == days.last)

    return follow(work, Reading(SOURCE, fetch, partial(_store, work.shop, products, days)))


def _days(work: Work) -> Period:
    last = latest_complete(work.shop, SOURCE)
    unread = day_of(last.as_of, work.shop.timezone) if last else work.today - timedelta(days=HISTORY_DAYS)
    return Period(min(unread, work.today - timedelta(days=REREAD_DAYS)), work.last_day)


def _read(work: Work, day: date, *, last: bool) -> Batch[Day]:
    rows, bad_rows = whole(work.client.accruals(day))
    if not rows and not bad_rows and Accrual.objects.filter(shop=work.shop, day=day).exists():
        raise Doubtful(f"no accrual of {day} came, and some are known")
    read = Day(day, tuple(rows), is_whole=not bad_rows)
    return Batch([read], bad_rows, len(rows) + len(bad_rows), day.isoformat(), last, announced=None)


def _store(shop: Shop, products: Products, days: Period, read: Sequence[Day]) -> Stored:
    (of_day,) = read
    bad_rows = [
        BadRow(index, str(row.accrual_id), f"in {', '.join(sorted(foreign))}, the shop's money is {shop.currency}")
        for index, row in enumerate(of_day.accruals)
        if (foreign := row.currencies - {"", shop.currency})
    ]
    foreign_ids = {bad.id for bad in bad_rows}
    rows = [
        (
            *(shop.pk, str(row.accrual_id), str(part.sku or ""), part.code),
            *(row.day, row.accrued_category, fit(row.unit_number, LONGEST_UNIT)),
            *(products.by_sku.get(part.sku) if part.sku else None, part.amount, shop.currency),
        )
        for row in of_day.accruals
        if str(row.accrual_id) not in foreign_ids
        for part in row.parts
    ]
    written = upsert(Accrual, rows, key=KEY, columns=COLUMNS, keep_known=("product_id",)).written
    removed = _remove_others(shop, of_day.day, {row[1:4] for row in rows}) if of_day.is_whole and not bad_rows else 0
    return Stored(written + removed, bad_rows, done=(of_day.day - days.first).days + 1, total=days.days)


def _remove_others(shop: Shop, day: date, kept: set[tuple[object, ...]]) -> int:
    """What a day no longer has: rows of it whose key did not come."""
    known = Accrual.objects.filter(shop=shop, day=day).values_list("pk", *KEY[1:])
    gone = [pk for pk, *key in known if tuple(key) not in kept]
    return Accrual.objects.filter(pk__in=gone).delete()[0] if gone else 0
