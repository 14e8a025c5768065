"""The ledger of runs: a slot is claimed once, a run is led by one worker, and its end is written down.

Business time (`due`, `as_of`) says what a run is about; leases, retries and attempts are real time. Whatever a run's
worker writes here is fenced by the lease's version: after a takeover the old worker changes nothing (`LeaseLost`).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.common.periods import Period, day_of
from apps.jobs.models import MANUAL, JobRun
from apps.jobs.schedule import zone_of
from apps.jobs.timetable import Job, Policy, find_job
from apps.jobs.troubles import Trouble, say, told, trouble
from apps.jobs.wake import LONGEST_DELAY, wake
from apps.shops.models import Credential, Person, Shop

log = logging.getLogger(__name__)

State = JobRun.State
MAX_ATTEMPTS = 3
VOID = "void:"


class LeaseLost(Exception):
    """Another worker has taken the run over: whatever this one wanted to write no longer counts."""


def scheduled() -> QuerySet[JobRun]:
    """The runs that the clock asked for: neither a person's, nor those of a clock that was wrong."""
    return JobRun.objects.exclude(Q(slot__startswith=MANUAL) | Q(slot__startswith=VOID))


def lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def slot_for(*, shop: Shop | None, due: datetime, daily: bool) -> str:
    """The name of a due moment: the shop's date when it comes once a day, so that a moved hour is the same slot."""
    if daily:
        return day_of(due, str(zone_of(shop))).isoformat()
    return f"{due.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def plan(
    *, job: Job, shop: Shop | None, due: datetime, daily: bool = True, late: timedelta = timedelta(0)
) -> JobRun | None:
    """Claim the slot of `due` and wake a worker; None when it was claimed before. `late` is the time since `due`."""
    run, claimed = _claim(job, shop, slot_for(shop=shop, due=due, daily=daily), due, state=State.PLANNED, late=late)
    return run if claimed else None


def skip(*, job: Job, shop: Shop | None, due: datetime, daily: bool = True) -> JobRun | None:
    """Write down that the slot of `due` is left out, because it is too late for it; None when it was claimed before."""
    slot = slot_for(shop=shop, due=due, daily=daily)
    run, claimed = _claim(
        job, shop, slot, due, state=State.SKIPPED, problem=trouble("too_late"), finished_at=real_now()
    )
    return run if claimed else None


def plan_by_hand(*, job: Job, shop: Shop, as_of: datetime, days: Period | None, by: Person | None) -> JobRun:
    """A run beside the schedule, for the business moment `as_of`, and wake a worker. Ask for `what_is_missing` first,
    in one transaction and after `one_at_a_time`."""
    first, last = (days.first, days.last) if days else (None, None)
    slot = f"{MANUAL}{uuid4()}"
    run, _created = _claim(job, shop, slot, as_of, state=State.PLANNED, started_by=by, first_on=first, last_on=last)
    return run


@transaction.atomic
def start(*, run_id: int) -> JobRun | None:
    """Take a run's lease; None when it is not due, finished, in another worker's hands, or has to wait.

    A run that was taken up three times and never got further is given up here.
    """
    run = JobRun.objects.select_related("shop__seller").filter(pk=run_id).first()
    if run is None or run.state not in (State.PLANNED, State.RUNNING):
        return None
    one_at_a_time(run.job, run.shop_id)
    if _others_running(run).exists() or _has_to_wait(run):
        return None
    now = real_now()
    free = JobRun.objects.filter(pk=run_id).filter(
        Q(state=State.PLANNED, due_at__lte=now) | Q(state=State.RUNNING, lease_until__lte=now)
    )
    if free.filter(attempt__gte=MAX_ATTEMPTS).exists():
        _bury(run, free, trouble("worker_died", count=MAX_ATTEMPTS))
        return None
    taken = free.update(
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        lease_until=now + lease(),
        lease_version=F("lease_version") + 1,
        started_at=Coalesce("started_at", now),
        problem={},
    )
    run.refresh_from_db()
    return run if taken else None


def renew(*, run: JobRun, progress: dict[str, Any] | None = None) -> None:
    """Keep the lease and say how far it got. In a transaction it also fences what is committed with it."""
    _write(run, lease_until=real_now() + lease(), progress=run.progress if progress is None else progress)


def hand_on(*, run: JobRun, progress: dict[str, Any]) -> None:
    """A slice is done and committed: let the next worker take the rest. What got further has its attempts back."""
    with transaction.atomic():
        _write(run, lease_until=real_now(), attempt=0, progress=progress)
        wake("sync.step", run.pk, queue=_queue(run))


def finish(*, run: JobRun, result: dict[str, Any]) -> None:
    _write(run, state=State.DONE, lease_until=None, finished_at=real_now(), result=result, problem={})


@transaction.atomic
def fail(*, run: JobRun, error: str, again: bool) -> None:
    """Write an error down; with `again` the run is tried once more after a minute, and after a lease's length."""
    if not again or run.attempt >= MAX_ATTEMPTS:
        if not _bury(run, _mine(run), told(error)):
            raise LeaseLost(_name(run))
        return
    wait = timedelta(seconds=settings.JOB_LEASE_SECONDS / 15 ** (MAX_ATTEMPTS - 1 - run.attempt))
    _write(run, state=State.PLANNED, lease_until=None, due_at=real_now() + wait, problem=told(error))
    wake("jobs.run", run.pk, queue=_queue(run), delay=min(wait, LONGEST_DELAY))  # the catch-up would find it too


def put_back(*, run: JobRun, error: str) -> None:
    """It cannot go on now, which is not the fault of the run: it waits, and then goes on with all its attempts."""
    _write(run, state=State.PLANNED, lease_until=None, due_at=real_now(), attempt=0, problem=told(error))


@transaction.atomic
def give_up_waiting(*, run: JobRun) -> None:
    """A planned run has waited past its grace: it failed for want of what it needs, or it is simply too late."""
    still_waiting = JobRun.objects.filter(pk=run.pk, state=State.PLANNED, lease_version=run.lease_version)
    job = find_job(run.job)
    if job is None:
        _bury(run, still_waiting, trouble("no_such_job"))
    elif job.policy is Policy.LATEST:
        still_waiting.update(state=State.SKIPPED, finished_at=real_now(), problem=trouble("made_up_for"))
    elif missing := what_is_missing(job, run.shop, run.as_of):
        _bury(run, still_waiting, missing)
    else:
        still_waiting.update(state=State.SKIPPED, finished_at=real_now(), problem=trouble("too_late"))


def void_future(*, now: datetime) -> int:
    """Free the slots that a clock which ran ahead has claimed: their day is yet to come. Returns how many."""
    early = scheduled().filter(as_of__gt=now)
    for run in early:
        JobRun.objects.filter(pk=run.pk).update(
            slot=f"{VOID}{run.pk}",
            state=State.FAILED,
            lease_until=None,
            lease_version=F("lease_version") + 1,
            finished_at=real_now(),
            problem=trouble("clock_ahead"),
        )
    return len(early)


def _claim(
    job: Job, shop: Shop | None, slot: str, as_of: datetime, *, state: State, **fields: Any
) -> tuple[JobRun, bool]:
    """The row of a slot, and whether it is ours: the unique constraint lets one of many callers create it."""
    with transaction.atomic():
        run, created = JobRun.objects.get_or_create(
            job=job.name,
            shop=shop,
            slot=slot,
            defaults={"as_of": as_of, "state": state, **fields},
        )
        if created and state == State.PLANNED:
            wake("jobs.run", run.pk, queue=job.queue)
    return run, created


def one_at_a_time(job: str, shop_id: int | None) -> None:
    """Whoever starts, or asks for, this job for this shop does it alone until the transaction ends."""
    take_lock("job", job, shop_id)


def _others_running(run: JobRun) -> QuerySet[JobRun]:
    """Also one whose worker died: the catch-up brings it to its end first."""
    return JobRun.objects.filter(job=run.job, shop=run.shop_id, state=State.RUNNING).exclude(pk=run.pk)


def _has_to_wait(run: JobRun) -> bool:
    job = find_job(run.job)
    missing = what_is_missing(job, run.shop, run.as_of) if job and run.state == State.PLANNED else {}
    if missing:
        JobRun.objects.filter(pk=run.pk, state=State.PLANNED).update(problem=missing)
    return bool(missing)


def what_is_missing(job: Job, shop: Shop | None, as_of: datetime) -> Trouble:
    """Why the run cannot start yet; empty when nothing is missing."""
    refused = Credential.objects.filter(shop=shop, api=job.calls_with, is_refused=True).first()
    if refused is not None:
        return trouble("key_refused", message=refused.problem)
    if not job.needs:
        return {}
    zone = str(zone_of(shop))
    day = day_of(as_of, zone)
    first, after = Period(day, day).bounds(zone)
    done = JobRun.objects.filter(job=job.needs, shop=shop, state=State.DONE, as_of__gte=first, as_of__lt=after)
    if done.filter(first_on=None).exists():  # reading days of the past again brings no data of this one
        return {}
    return trouble("not_completed", job=job.needs, day=day.isoformat())


def _mine(run: JobRun) -> QuerySet[JobRun]:
    return JobRun.objects.filter(pk=run.pk, state=State.RUNNING, lease_version=run.lease_version)


def _write(run: JobRun, **fields: Any) -> None:
    if not _mine(run).update(**fields):
        raise LeaseLost(_name(run))
    for name, value in fields.items():
        setattr(run, name, value)


def _queue(run: JobRun) -> str | None:
    job = find_job(run.job)
    return job.queue if job else None


def _name(run: JobRun) -> str:
    return f"{run.job} · {run.slot} of shop {run.shop_id}, lease {run.lease_version}"


def _bury(run: JobRun, rows: QuerySet[JobRun], problem: Trouble) -> bool:
    """The run failed for good: it stays as a dead letter, the watchdog tells of it. False when it is not in `rows`."""
    if not rows.update(state=State.FAILED, lease_until=None, finished_at=real_now(), problem=problem):
        return False
    log.error("%s failed for good: %s", _name(run), say(problem))
    return True
