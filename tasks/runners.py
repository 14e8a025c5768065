"""How each job of the timetable is carried out: from a run in the ledger to one call of a function."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from apps.analytics.check import check_store
from apps.common import clock
from apps.common.errors import UserError
from apps.common.periods import Period, day_of
from apps.experiments.drift import look_at_all
from apps.experiments.review import review_due
from apps.inventory.alerts import send_stock_alerts
from apps.jobs import ledger
from apps.jobs.ledger import LeaseLost
from apps.jobs.models import JobRun
from apps.jobs.schedule import next_due
from apps.jobs.sync_runs import SyncIncomplete
from apps.marketplaces.errors import Permanent, WrongCredentials
from apps.pricing.analysis import analyse
from apps.reports.daily import send_daily_report
from apps.sales.crm_shop_sync import CRM_NIGHT, CRM_SOURCES, CrmSources, advance_crm
from apps.sales.shop_sync import BACKGROUND, SOURCES, Sources, advance, summary
from apps.shops import key_check
from apps.shops.clients import credential_of, keycrm, ozon_seller
from apps.shops.models import Credential, Shop

log = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)
SLICE_RATE = 4 / 15  # of a lease: four minutes of fifteen

Result: TypeAlias = dict[str, Any] | None
"""What is kept of a finished run; None when the run handed itself on to its next slice."""


def carry_out(run_id: int) -> None:
    """Lead one run as far as it goes now. An error that nobody foresaw is written down and raised for the log."""
    run = ledger.start(run_id=run_id)
    if run is None:
        return
    try:
        _lead(run)
    except LeaseLost as error:
        log.warning("taken over by another worker: %s", error)


def _lead(run: JobRun) -> None:
    try:
        result = RUNNERS[run.job](run)
    except LeaseLost:
        raise
    except WrongCredentials as error:
        ledger.put_back(run=run, error=str(error))
    except (UserError, Permanent) as error:
        ledger.fail(run=run, error=str(error), again=False)
    except SyncIncomplete as error:
        log.warning("%s", error)
        if isinstance(error.__cause__, WrongCredentials):
            ledger.put_back(run=run, error=str(error))
            return
        ledger.fail(run=run, error=str(error), again=not isinstance(error.__cause__, Permanent))
    except Exception as error:
        if isinstance(error, DatabaseError | InterfaceError):
            close_old_connections()  # it may be the very connection that has failed
        ledger.fail(run=run, error=f"{type(error).__name__}: {error}", again=True)
        raise
    else:
        if result is not None:
            ledger.finish(run=run, result=result)


def _shop(run: JobRun) -> Shop:
    if run.shop is None:
        raise ValueError(f"{run.job} is carried out for a shop, this run has none")
    return run.shop


def _ozon_sync(run: JobRun) -> Result:
    return _slice(run, SOURCES)


def _ozon_background(run: JobRun) -> Result:
    return _slice(run, BACKGROUND)


def _slice(run: JobRun, sources: Sources) -> Result:
    client = ozon_seller(_shop(run))
    return _after(run, advance(run, client=client, as_of=run.as_of, deadline=_deadline(), sources=sources))


def _keycrm_sync(run: JobRun) -> Result:
    return _crm_slice(run, CRM_SOURCES)


def _keycrm_night(run: JobRun) -> Result:
    return _crm_slice(run, CRM_NIGHT)


def _crm_slice(run: JobRun, sources: CrmSources) -> Result:
    client = keycrm(_shop(run))
    return _after(run, advance_crm(run, client=client, as_of=run.as_of, deadline=_deadline(), sources=sources))


def _deadline() -> float:
    return time.monotonic() + settings.JOB_LEASE_SECONDS * SLICE_RATE


def _after(run: JobRun, is_done: bool) -> Result:
    """One slice was done; the next one goes on from the cursors that this one has committed."""
    if is_done:
        return summary(run)
    ledger.hand_on(run=run, progress=run.progress)
    return None


def _key_check(run: JobRun) -> Result:
    key = credential_of(_shop(run), Credential.Api.OZON_SELLER)
    key_check.check(key)
    key.refresh_from_db()
    return {"accepted": not key.is_refused}


def _daily_report(run: JobRun) -> Result:
    """On yesterday, or on the days that a person asked for, who may read them until tomorrow."""
    shop, now = _shop(run), clock.now()
    days = run.days or Period.ending(day_of(run.as_of, shop.timezone) - ONE_DAY, days=1)
    expires_at = now + ONE_DAY if run.is_manual else None
    sent = [send_daily_report(shop=shop, day=day, now=now, expires_at=expires_at) for day in days]
    return {"told": sum(one["told"] for one in sent), "complete": all(one["complete"] for one in sent)}


def _price_analysis(run: JobRun) -> Result:
    shop, now = _shop(run), clock.now()
    return analyse(shop=shop, now=now, expires_at=next_due(run.job, shop, now) or now + ONE_DAY)


def _price_check(run: JobRun) -> Result:
    return look_at_all(shop=_shop(run), now=clock.now())


def _review_price_experiments(run: JobRun) -> Result:
    shop = _shop(run)
    return review_due(shop=shop, today=day_of(run.as_of, shop.timezone))


def _stock_alerts(run: JobRun) -> Result:
    shop = _shop(run)
    return send_stock_alerts(shop=shop, today=day_of(run.as_of, shop.timezone), now=clock.now())


def _store_check(run: JobRun) -> Result:
    shop = _shop(run)
    return check_store(shop, today=day_of(run.as_of, shop.timezone))


RUNNERS: dict[str, Callable[[JobRun], Result]] = {
    "keycrm_sync": _keycrm_sync,
    "keycrm_night": _keycrm_night,
    "store_check": _store_check,
    "ozon_sync": _ozon_sync,
    "key_check": _key_check,
    "ozon_background": _ozon_background,
    "daily_report": _daily_report,
    "price_analysis": _price_analysis,
    "price_check": _price_check,
    "review_price_experiments": _review_price_experiments,
    "stock_alerts": _stock_alerts,
}
