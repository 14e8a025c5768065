"""The store beside PostgreSQL, cell by cell: what one counts, the other must count too, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.analytics import extract
from apps.analytics.build import alone
from apps.analytics.extract import sql
from apps.analytics.models import StaleDay
from apps.analytics.reader import answer
from apps.common.periods import Period
from apps.shops.models import Shop

Cell = tuple[Any, ...]  # category, brand, day, source, type
Sums = tuple[Any, ...]  # orders, returns, revenue, returned revenue, quantity
NONE: Sums = (0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """A cell (category or 0, brand or 0, day, source, sales type) and its sums on both sides."""

    cell: Cell
    store: Sums
    postgresql: Sums


@dataclass(frozen=True)
class Comparison:
    cells: int
    differences: tuple[Difference, ...]


def compare(shop: Shop, period: Period) -> Comparison:
    """All cells of the days of the period; days that wait for the next version are left out.

    Raises `StoreBusy` while a version of the shop is being built, `NotBuilt` when it has none.
    """
    with alone(shop), extract.snapshot():
        waiting = set(StaleDay.objects.filter(shop=shop).values_list("day", flat=True))
        days = [day for day in period if day not in waiting]
        ours = _by_cell(answer((shop.pk,), lambda store: store.ask_plainly(sql("cells"), {"days": days})))
        theirs = _in_postgresql(shop, days)
    cells = ours.keys() | theirs.keys()
    differing = sorted(cell for cell in cells if ours.get(cell, NONE) != theirs.get(cell, NONE))
    return Comparison(
        len(cells), tuple(Difference(cell, ours.get(cell, NONE), theirs.get(cell, NONE)) for cell in differing)
    )


def _in_postgresql(shop: Shop, days: list[Any]) -> dict[Cell, Sums]:
    with connection.cursor() as cursor:
        query = sql("cells_in_postgresql").replace("{orders}", sql("from_orders"))
        cursor.execute(query, {"shop": shop.pk, "days": days})
        return _by_cell(cursor.fetchall())


def _by_cell(rows: list[tuple[Any, ...]]) -> dict[Cell, Sums]:
    return {row[:5]: row[5:] for row in rows if row[5:] != NONE}
