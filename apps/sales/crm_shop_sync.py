"""The sync of a shop in a CRM as chains of short slices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

from apps.catalog.crm_goods import sync_crm_categories, sync_families, sync_offers
from apps.catalog.crm_stock import sync_crm_stock
from apps.jobs.models import JobRun
from apps.jobs.sync_runs import Work, follow_chain
from apps.marketplaces.keycrm.client import KeyCrm
from apps.sales.crm_gaps import sync_gaps
from apps.sales.crm_sync import sync_all_orders, sync_created_orders, sync_updated_orders
from apps.sales.day_checks import reread_days
from apps.sales.rollup import refresh_facts, sync_facts
from apps.sales.sources import sync_expense_types, sync_managers, sync_sources

CrmSources: TypeAlias = tuple[Callable[[Work[KeyCrm]], bool], ...]

# Every hour, in this order; the directories, the catalogue and the stock are read by the first of a day.
CRM_SOURCES: CrmSources = (
    sync_sources,
    sync_managers,
    sync_expense_types,
    sync_crm_categories,
    sync_offers,
    sync_families,  # after the variants that it completes
    sync_crm_stock,
    sync_all_orders,  # after everything that orders name
    sync_updated_orders,
    sync_created_orders,
    sync_facts,
)

# Every night: what no filter finds.
CRM_NIGHT: CrmSources = (
    reread_days,
    sync_gaps,
    refresh_facts,
)


def advance_crm(
    run: JobRun, *, client: KeyCrm, as_of: datetime, deadline: float, sources: CrmSources = CRM_SOURCES
) -> bool:
    """Go on with a sync: see `follow_chain`. A run for days that have passed compares and reads these days again."""
    chain = (partial(reread_days, days=run.days), refresh_facts) if run.days else sources
    return follow_chain(run, client=client, as_of=as_of, deadline=deadline, sources=chain)
