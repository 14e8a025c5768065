"""To whom orders were sold: one statement says it, of orders that are about to be stored and of a shop's whole past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.db import connection, transaction

from apps.sales.rollup import touch
from apps.shops.models import Shop


class Asked(NamedTuple):
    """An order whose sales type is asked for: our ids of its source and its manager, and its day."""

    source_id: int | None
    manager_id: int | None
    placed_on: date


OF_ASKED = """
    with asked as (
        select * from unnest(%(ids)s::int[], %(sources)s::bigint[], %(managers)s::bigint[], %(days)s::date[])
            as one (id, source_id, manager_id, placed_on)
    )
    {sales_type}
"""
OF_ALL = """
    with asked as (select id, source_id, manager_id, placed_on from orders where shop_id = %(shop)s),
    typed as ({sales_type})
    update orders set sales_type = typed.sales_type
    from typed
    where orders.id = typed.id and orders.sales_type <> typed.sales_type
    returning orders.placed_on
"""


def types_of(shop: Shop, asked: Sequence[Asked]) -> list[str]:
    """The sales types by the shop's rules of now, in the order asked."""
    kinds = sorted(set(asked), key=repr)
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(OF_ASKED),
            {
                "shop": shop.pk,
                "ids": list(range(len(kinds))),
                "sources": [one.source_id for one in kinds],
                "managers": [one.manager_id for one in kinds],
                "days": [one.placed_on for one in kinds],
            },
        )
        found = {kinds[place]: str(sales_type) for place, sales_type in cursor.fetchall()}
    return [found[one] for one in asked]


@transaction.atomic
def reclassify(shop: Shop) -> int:
    """Say it anew of all the shop's orders, after its rules have changed. Returns how many count differently now."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(OF_ALL), {"shop": shop.pk})
        days = [day for (day,) in cursor.fetchall()]
    touch(shop, days)
    return len(days)


@cache
def _statement(frame: str) -> str:
    return frame.replace("{sales_type}", Path(__file__).with_name("sales_type.sql").read_text())
