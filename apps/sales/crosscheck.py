"""Our daily facts beside OZON's own analytics: a second opinion on the last days, never a reason to stop.

The method may be called once a minute and 50 times a day, so it is asked once per sync, and left alone when it was
asked a moment ago. One page is compared: the rows it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from apps.common.clock import real_now
from apps.common.periods import Period
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.sync_runs import Work
from apps.marketplaces.errors import ApiError
from apps.marketplaces.ozon_seller.analytics import AnalyticsFact
from apps.sales.models import DailyFact

SOURCE = SyncRun.Source.CROSSCHECK
DAYS = 3
PAUSE = timedelta(seconds=80)
CALLS_A_DAY = 40
MOST_EXAMPLES = 20

Key = tuple[int, date]


def cross_check(work: Work) -> bool:
    """Write what differs into the job's result. Always "complete": nothing depends on it."""
    if SyncRun.objects.filter(job_run=work.job_run, source=SOURCE).exists():
        return True
    if _is_used_up(work):
        return True
    run = SyncRun.objects.create(
        shop=work.shop, job_run=work.job_run, source=SOURCE, started_at=real_now(), as_of=work.as_of
    )
    period = Period.ending(work.last_day, days=DAYS)
    try:
        page = next(
            work.client.analytics_data(
                first=period.first, last=period.last, metrics=["ordered_units"], dimensions=["sku", "day"]
            )
        )
    except ApiError as error:
        _end(run, SyncRun.State.INCOMPLETE, error=str(error))
        _report(work.job_run, {"skipped": str(error)})
        return True
    _end(run, SyncRun.State.COMPLETE, received=page.received)
    _report(work.job_run, compare(_facts(work, period), _units(page.rows), whole=page.last))
    return True


def compare(ours: Mapping[Key, int], theirs: Mapping[Key, int], *, whole: bool) -> dict[str, Any]:
    """Units by (SKU, day) on both sides. Unless their list is `whole`, what only we have is no difference."""
    keys = ours.keys() | theirs.keys() if whole else theirs.keys()
    different = sorted(key for key in keys if ours.get(key, 0) != theirs.get(key, 0))
    return {
        "compared": len(keys),
        "different": len(different),
        "ours": sum(ours.get(key, 0) for key in keys),
        "theirs": sum(theirs.get(key, 0) for key in keys),
        "examples": [
            {"sku": sku, "day": str(day), "ours": ours.get((sku, day), 0), "theirs": theirs.get((sku, day), 0)}
            for sku, day in different[:MOST_EXAMPLES]
        ],
    }


def _is_used_up(work: Work) -> bool:
    """The limit runs in real time, and we count our own calls: waiting for a turn is not worth a minute."""
    now = real_now()
    calls = SyncRun.objects.filter(shop=work.shop, source=SOURCE)
    today = calls.filter(started_at__gt=now - timedelta(days=1)).count()
    return today >= CALLS_A_DAY or calls.filter(started_at__gt=now - PAUSE).exists()


def _facts(work: Work, period: Period) -> dict[Key, int]:
    rows = DailyFact.objects.filter(
        product__shop=work.shop, product__sku__isnull=False, day__range=(period.first, period.last), units__gt=0
    )
    return {
        (sku, day): units for sku, day, units in rows.values_list("product__sku", "day", "units") if sku is not None
    }


def _units(rows: Sequence[AnalyticsFact]) -> dict[Key, int]:
    return {
        (int(row.keys["sku"]), date.fromisoformat(row.keys["day"])): int(row.values["ordered_units"])
        for row in rows
        if row.values["ordered_units"]
    }


def _end(run: SyncRun, state: SyncRun.State, *, received: int = 0, error: str = "") -> None:
    SyncRun.objects.filter(pk=run.pk).update(
        state=state, received=received, pages=1, error=error, finished_at=real_now()
    )


def _report(job_run: JobRun, found: dict[str, Any]) -> None:
    job_run.result = {**job_run.result, "crosscheck": found}
    JobRun.objects.filter(pk=job_run.pk).update(result=job_run.result)
