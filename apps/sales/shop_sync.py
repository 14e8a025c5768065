"""A shop's whole sync as a chain of short slices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, TypeAlias

from django.db.models import QuerySet, Sum

from apps.catalog.account import sync_account
from apps.catalog.categories import sync_categories
from apps.catalog.clusters import sync_cluster_stock
from apps.catalog.minimums import sync_minimums
from apps.catalog.promotions import sync_participations, sync_promotions
from apps.catalog.stock import sync_stock
from apps.catalog.sync import sync_archive, sync_products
from apps.common.periods import Period, day_of
from apps.jobs.models import JobRun
from apps.jobs.sync_runs import Work, follow_chain, latest_complete, latest_moments
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.sales import rollup
from apps.sales.accruals import sync_accrual_types, sync_accruals
from apps.sales.crosscheck import cross_check
from apps.sales.models import OrderLine
from apps.sales.returns import beyond_sales, sync_returns
from apps.sales.rollup import refresh_facts, sync_facts
from apps.sales.sync import sync_fbo, sync_fbs, sync_fbs_changes
from apps.shops.models import Shop

Sources: TypeAlias = tuple[Callable[[Work], bool], ...]

# What is read, in this order. Each is True when it has come to its end, False when the time is up.
SOURCES: Sources = (
    sync_account,
    sync_categories,
    sync_products,
    sync_archive,  # after the products: what is in neither list has vanished
    sync_minimums,
    sync_promotions,
    sync_participations,  # after the promotions and the products that it joins
    sync_stock,
    sync_fbo,
    sync_fbs,
    sync_fbs_changes,  # after the postings: it ends the history
    sync_returns,
    sync_facts,  # after everything that facts are made of
    cross_check,
)

# What no decision depends on, read by a job of its own: what cannot be read here keeps nobody from deciding.
BACKGROUND: Sources = (sync_accrual_types, sync_accruals, sync_cluster_stock)


def advance(
    run: JobRun,
    *,
    client: OzonSeller,
    as_of: datetime,
    deadline: float,
    sources: Sources = SOURCES,
) -> bool:
    """Go on with a sync: see `follow_chain`.

    A run for days that have passed reads the postings of these days again and nothing else; no decision is fed by it.
    """
    chain = _again(run.days) if run.days else sources
    return follow_chain(run, client=client, as_of=as_of, deadline=deadline, sources=chain)


def _again(days: Period) -> Sources:
    return partial(sync_fbo, again=days), partial(sync_fbs, again=days), refresh_facts


def is_complete(shop: Shop, today: date) -> bool:
    """Whether this morning's data are there: nothing is decided on older ones."""
    as_of = data_as_of(shop)
    return as_of is not None and day_of(as_of, shop.timezone) >= today


def summary(run: JobRun) -> dict[str, Any]:
    """What a finished sync did: rows written and rows that could not be read, by source; sold lines that no product of
    the shop's is known for, and units that came back beyond what was sold, by their posting: neither is in any fact;
    and what was noted by the way."""
    sums = run.sync_runs.values_list("source").annotate(written=Sum("written"), bad=Sum("bad_count")).order_by("source")
    return {
        **run.result,
        "written": {source: written for source, written, _ in sums},
        "unread": {source: bad for source, _, bad in sums if bad},
        "lines_without_product": OrderLine.objects.filter(order__shop=run.shop, product=None).count(),
        "returned_beyond_sales": beyond_sales(run.shop) if run.shop else {},
    }


def data_as_of(shop: Shop) -> datetime | None:
    """The business moment of the shop's last complete sync; None when there was none yet.

    Only such data may feed a decision: an incomplete sync does not move this.
    """
    last = latest_complete(shop, rollup.SOURCE)
    return last.as_of if last else None


def data_as_of_each(shops: QuerySet[Shop]) -> dict[int, datetime | None]:
    """The same of many shops at once, by the shop's id."""
    return latest_moments(shops, rollup.SOURCE)
