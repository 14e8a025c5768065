"""Daily facts out of orders and stock: a day is rebuilt whole, and only when something on it was touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from django.db import connection

from apps.common.periods import Period, day_of
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow, latest_complete
from apps.sales.models import SalesHistory, TouchedDay
from apps.shops.models import Shop

SOURCE = "facts"
DAYS_AT_ONCE = 31
ONE_DAY = timedelta(days=1)


def touch(shop: Shop, days: Iterable[date]) -> None:
    """Have the facts of these days rebuilt. Belongs into the transaction that changes what they are made of."""
    TouchedDay.objects.bulk_create((TouchedDay(shop=shop, day=day) for day in sorted(set(days))), ignore_conflicts=True)


def sync_facts(work: Work[Any]) -> bool:
    """Rebuild the days that were touched and have ended: the last link, which makes the shop's data complete."""

    def fetch(cursor: str) -> Iterator[Batch[date]]:
        touch(work.shop, _days_with_new_mornings(work))
        return _touched_days(work)

    return follow(work, Reading(SOURCE, fetch, partial(_store, work)))


def refresh_facts(work: Work[Any]) -> bool:
    """Rebuild the days that postings which were read again have touched. It makes nothing complete."""
    return follow(work, Reading(f"{SOURCE}_again", lambda _: _touched_days(work), partial(_store, work)))


def rebuild(shop: Shop, days: Sequence[date]) -> int:
    """Make the facts of these days anew; returns how many rows were written."""
    history = SalesHistory.objects.filter(shop=shop).first()
    with connection.cursor() as cursor:
        cursor.execute(
            _sql("rollup"),
            {
                "shop": shop.pk,
                "days": list(days),
                "mornings": sorted({*days, *(day + ONE_DAY for day in days)}),
                "events_from": history.events_from if history else None,
            },
        )
        return int(cursor.rowcount)


def _touched_days(work: Work[Any]) -> Iterator[Batch[date]]:
    _refresh_statistics()
    _link_lines(work.shop)
    while True:
        days = _touched(work)
        last = len(days) < DAYS_AT_ONCE
        yield Batch(days, (), len(days), cursor="", last=last, announced=None)
        if last:
            return


def _touched(work: Work[Any]) -> list[date]:
    """The next days to rebuild; a day that has not ended waits."""
    days = TouchedDay.objects.filter(shop=work.shop, day__lte=work.last_day).order_by("day")
    return list(days.values_list("day", flat=True)[:DAYS_AT_ONCE])


def _store(work: Work[Any], days: Sequence[date]) -> Stored:
    TouchedDay.objects.filter(shop=work.shop, day__in=days).delete()
    return Stored(rebuild(work.shop, days) if days else 0)


def _refresh_statistics() -> None:
    """A first load fills the tables faster than PostgreSQL's own clock looks at them, and a plan made
    for empty tables does not end."""
    with connection.cursor() as cursor:
        cursor.execute("analyze (skip_locked) orders, order_lines, inventory, sales")


def _link_lines(shop: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_sql("link"), {"shop": shop.pk})


def _days_with_new_mornings(work: Work[Any]) -> Iterable[date]:
    """What was in stock on a day is known from its own morning and the next, whether anything was sold or not."""
    last = latest_complete(work.shop, SOURCE)
    first = day_of(last.as_of, work.shop.timezone) - ONE_DAY if last else work.last_day
    return Period(min(first, work.last_day), work.last_day)


@cache
def _sql(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text()
