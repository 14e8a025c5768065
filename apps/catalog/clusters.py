"""Stock in the marketplace's warehouses by cluster, as it is now, and how fast it sells there by OZON's own count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from apps.catalog.models import Cluster, ClusterStock, Product
from apps.common.bulk import upsert
from apps.common.text import fit
from apps.jobs.sync_runs import Batch, Doubtful, Reading, Stored, Work, follow
from apps.marketplaces.ozon_seller.schemas import ClusterStock as Row

BATCH = 100  # products of a call
LONGEST_NAME, LONGEST_GRADE = 200, 40
COUNTS = ("available", "in_preparation", "in_transit", "requested", "returning")
COLUMNS = (*COUNTS, "units_per_day", "grade", "as_of")


@dataclass(frozen=True)
class Asked:
    """The rows of some products, by our ids; `is_whole` when every row could be read."""

    product_ids: dict[int, int]
    rows: tuple[Row, ...]
    is_whole: bool


def sync_cluster_stock(work: Work) -> bool:
    """All products that are not archived, a hundred a call; the cursor is our id of the last one."""

    def fetch(cursor: str) -> Iterator[Batch[Asked]]:
        products = Product.objects.filter(shop=work.shop, is_archived=False, sku__isnull=False)
        asked = list(products.filter(pk__gt=int(cursor or 0)).order_by("pk").values_list("sku", "pk"))
        if not asked:
            yield Batch((), (), 0, cursor="", last=True, announced=None)
        for start in range(0, len(asked), BATCH):
            yield _read(work, asked[start : start + BATCH], last=start + BATCH >= len(asked))

    return follow(work, Reading("cluster_stock", fetch, partial(_store, work)))


def _read(work: Work, asked: Sequence[tuple[int | None, int]], *, last: bool) -> Batch[Asked]:
    ids = {sku: pk for sku, pk in asked if sku is not None}
    pages = list(work.client.cluster_stocks(list(ids)))
    rows = tuple(row for page in pages for row in page.rows)
    bad_rows = [bad for page in pages for bad in page.bad_rows]
    if not rows and not bad_rows and ClusterStock.objects.filter(product__in=ids.values(), available__gt=0).exists():
        raise Doubtful("no stock came of products that had some in a cluster")
    read = Asked(ids, rows, is_whole=not bad_rows)
    return Batch([read], bad_rows, len(rows) + len(bad_rows), str(asked[-1][1]), last, announced=None)


def _store(work: Work, batch: Sequence[Asked]) -> Stored:
    return Stored(sum(_store_asked(work, asked) for asked in batch))


def _store_asked(work: Work, asked: Asked) -> int:
    of_cluster = [row for row in asked.rows if row.cluster_id and row.sku in asked.product_ids]
    names = {str(row.cluster_id): fit(row.cluster_name, LONGEST_NAME) for row in of_cluster}
    key = ("shop_id", "external_id")
    upsert(Cluster, ((work.shop.pk, *named) for named in names.items()), key=key, columns=("name",))
    clusters = dict(Cluster.objects.filter(shop=work.shop, external_id__in=names).values_list("external_id", "id"))
    rows = []
    for (product_id, cluster_id), lying in _by_place(asked, clusters, of_cluster):
        rows.append((product_id, cluster_id, *_summed(lying), work.as_of))
    written = upsert(ClusterStock, rows, key=("product_id", "cluster_id"), columns=COLUMNS).written
    return written + (_remove_others(asked, {row[:2] for row in rows}) if asked.is_whole else 0)


def _by_place(
    asked: Asked, clusters: dict[str, int], rows: Sequence[Row]
) -> Iterator[tuple[tuple[int, int], list[Row]]]:
    """The rows of each product and cluster: OZON tells every warehouse of it."""

    def place(row: Row) -> tuple[int, int]:
        return asked.product_ids[row.sku], clusters[str(row.cluster_id)]

    return ((key, list(lying)) for key, lying in groupby(sorted(rows, key=place), key=place))


def _summed(rows: Sequence[Row]) -> tuple[Any, ...]:
    """`COUNTS` of all warehouses; what is told of the cluster as a whole stands in each row."""
    fields = ("available_stock_count", "valid_stock_count", "transit_stock_count", "requested_stock_count")
    counts = [sum(getattr(row, name) for row in rows) for name in (*fields, "return_from_customer_stock_count")]
    return (*counts, rows[0].ads_cluster, fit(rows[0].turnover_grade_cluster, LONGEST_GRADE))


def _remove_others(asked: Asked, kept: set[tuple[Any, ...]]) -> int:
    known = ClusterStock.objects.filter(product__in=asked.product_ids.values())
    gone = [pk for pk, *place in known.values_list("pk", "product_id", "cluster_id") if tuple(place) not in kept]
    return ClusterStock.objects.filter(pk__in=gone).delete()[0] if gone else 0
