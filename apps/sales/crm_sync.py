"""Orders of a CRM: all of them once, then what was changed or made lately, then what fell through.

KeyCRM moves `updated_at` for almost everything, but not when only the status changes, and tells of nothing deleted; so
every night the last `REREAD_DAYS` are read again and compared order by order (`day_checks.py`), and numbers that are
missing are asked for one by one (`crm_gaps.py`). A pass goes on from where the last complete one ended, less `OVERLAP`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from django.db.models import Min

from apps.jobs.sync_runs import Batch, Reading, Stored, Work, covered_until, follow, latest_complete
from apps.marketplaces.keycrm import schemas
from apps.marketplaces.keycrm.client import Between, KeyCrm
from apps.sales import crm_orders
from apps.sales.models import Order, SalesHistory

ALL, UPDATED, CREATED = "orders", "orders_updated", "orders_created"
PAGES_AT_ONCE, SECONDS_AT_ONCE = 40, 15  # of 50 orders; with the calls that are allowed about a dozen come in time
OVERLAP = timedelta(days=1)


def sync_all_orders(work: Work[KeyCrm]) -> bool:
    """The first load: the whole list, in the order of the numbers, once in the life of a shop."""
    if latest_complete(work.shop, ALL) is not None:
        return True

    def fetch(cursor: str) -> Iterator[Batch[schemas.Order]]:
        return Batch.joined(work.client.orders(cursor=cursor), most=PAGES_AT_ONCE, seconds=SECONDS_AT_ONCE)

    return follow(work, Reading(ALL, fetch, partial(store, work), partial(_history_begins, work)))


def sync_updated_orders(work: Work[KeyCrm]) -> bool:
    return _pass(work, UPDATED)


def sync_created_orders(work: Work[KeyCrm]) -> bool:
    """What was made for the shop lately, however it is dated in the CRM."""
    return _pass(work, CREATED)


def store(work: Work[KeyCrm], rows: Sequence[schemas.Order]) -> Stored:
    return crm_orders.store(work.shop, rows, last_day=work.last_day)


def _pass(work: Work[KeyCrm], source: str) -> bool:
    since, until = _period(work, source)

    def fetch(cursor: str) -> Iterator[Batch[schemas.Order]]:
        wanted = {"updated": (since, until)} if source == UPDATED else {"created": (since, until)}
        return Batch.joined(work.client.orders(**wanted, cursor=cursor), most=PAGES_AT_ONCE, seconds=SECONDS_AT_ONCE)

    return follow(work, Reading(source, fetch, partial(store, work), since=since, until=until))


def _period(work: Work[KeyCrm], source: str) -> Between:
    """From the end of what was read without a gap, with an overlap; the first pass goes on from the first load."""
    whole = latest_complete(work.shop, ALL)
    covered = covered_until(work.shop, source) or (whole.as_of if whole else work.as_of)
    run_of_this_job = work.job_run.sync_runs.filter(source=source, until=work.as_of).first()
    if run_of_this_job is not None and run_of_this_job.since is not None:
        return run_of_this_job.since, work.as_of
    return min(covered, work.as_of) - OVERLAP, work.as_of


def _history_begins(work: Work[KeyCrm]) -> None:
    """The first day is that of the oldest order; from today on what ends is seen when it does."""
    first = Order.objects.filter(shop=work.shop).aggregate(first=Min("placed_on"))["first"] or work.today
    SalesHistory.objects.get_or_create(shop=work.shop, defaults={"sales_from": first, "events_from": first})
