"""The marketplace's category tree, as far as names and parents go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from apps.catalog.models import Category
from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Reading, Stored, Work, follow
from apps.marketplaces.ozon_seller import categories

LONGEST_NAME = 300


def sync_categories(work: Work) -> bool:
    def fetch(cursor: str) -> Iterator[Batch[categories.Category]]:
        tree = work.client.category_tree()
        received = len(tree.categories) + len(tree.bad_rows)
        yield Batch(tree.categories, tree.bad_rows, received, cursor="", last=True, announced=None)

    return follow(work, Reading("categories", fetch, lambda rows: Stored(_store(work.shop.pk, rows))))


def category_ids(shop_id: int) -> dict[str, int]:
    """Our ids of the shop's categories, by the marketplace's."""
    return dict(Category.objects.filter(shop=shop_id).values_list("external_id", "id"))


def _store(shop_id: int, rows: Sequence[categories.Category]) -> int:
    key = ("shop_id", "external_id")
    named = [(shop_id, str(row.category_id), fit(row.name, LONGEST_NAME)) for row in rows]
    written = upsert(Category, named, key=key, columns=("name",)).written
    ids = category_ids(shop_id)
    placed = [
        (*identity, ids[str(row.parent_id)] if row.parent_id else None)
        for identity, row in zip(named, rows, strict=True)
    ]
    return written + upsert(Category, placed, key=key, columns=("name", "parent_id")).updated
