"""Once a minute: nothing that was due stays undone because a message, a worker or the clock was lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from apps.common.clock import real_now
from apps.jobs import due, ledger
from apps.jobs.models import JobRun
from apps.jobs.schedule import Entry, entries, entry_of
from apps.jobs.timetable import Policy, find_job
from apps.jobs.wake import wake

State = JobRun.State


@dataclass(frozen=True)
class CaughtUp:
    """How many slots were claimed, runs woken, and runs given up because they had waited too long."""

    claimed: int
    woken: int
    given_up: int


def catch_up(*, now: datetime) -> CaughtUp:
    """Give up what is too late, wake what nobody works on, claim what nobody ran. `now` is business time."""
    given_up = _give_up_late(now)
    woken = _wake_idle()
    claimed = sum(claim_due(entry, now) for entry in entries())
    return CaughtUp(claimed, woken, given_up)


def fire(*, job: str, shop_id: int | None, now: datetime) -> int:
    """Beat says that this row is due: claim its slot. Returns how many were claimed, none when it was done before."""
    entry = entry_of(job, shop_id)
    if entry is None:
        return 0
    if entry.cron is None:
        return int(ledger.plan(job=entry.job, shop=entry.shop, due=now, daily=False) is not None)
    return claim_due(entry, now)


def claim_due(entry: Entry, now: datetime) -> int:
    """Claim the slots of one row that are due and that nobody has, by the job's policy. Returns how many are to run."""
    if entry.job.policy is Policy.ALL:
        moments = entry.due_between(now - entry.job.grace, now)
    else:
        last = entry.last_due(now)
        moments = [last] if last else []
    return sum(_claim(entry, moment, now) for moment in moments if _is_owed(entry, moment))


def _claim(entry: Entry, moment: datetime, now: datetime) -> bool:
    daily = entry.cron is None or due.is_daily(entry.cron)
    if entry.job.policy is Policy.SKIP and now > moment + entry.job.grace:
        ledger.skip(job=entry.job, shop=entry.shop, due=moment, daily=daily)
        return False
    return ledger.plan(job=entry.job, shop=entry.shop, due=moment, daily=daily, late=now - moment) is not None


def _is_owed(entry: Entry, moment: datetime) -> bool:
    """Not when this or a later moment has been claimed, nor from before the shop was there.

    A new shop's first sync is the exception: `latest` starts it at once.
    """
    if entry.job.policy is Policy.ALL:
        return entry.shop is None or moment >= entry.shop.created_at
    if entry.job.policy is Policy.SKIP and entry.shop and moment < entry.shop.created_at:
        return False
    return not ledger.scheduled().filter(job=entry.job.name, shop=entry.shop, as_of__gte=moment).exists()


def _wake_idle() -> int:
    """Planned runs whose message was lost, and running ones whose lease is over."""
    now = real_now()
    idle = JobRun.objects.filter(
        Q(state=State.PLANNED, due_at__lte=now) | Q(state=State.RUNNING, lease_until__lte=now)
    ).order_by("pk")
    for run in idle:
        job = find_job(run.job)
        wake("jobs.run", run.pk, queue=job.queue if job else None)
    return len(idle)


def _give_up_late(now: datetime) -> int:
    """Scheduled runs that never started and would start too late, or for nothing beside a later one."""
    waiting = ledger.scheduled().filter(state=State.PLANNED, started_at=None)
    late = [run for run in waiting.select_related("shop__seller") if _is_late(run, now)]
    for run in late:
        ledger.give_up_waiting(run=run)
    return len(late)


def _is_late(run: JobRun, now: datetime) -> bool:
    job = find_job(run.job)
    if job is None:
        return True
    if job.policy is Policy.LATEST:
        return ledger.scheduled().filter(job=run.job, shop=run.shop, as_of__gt=run.as_of).exists()
    return now > run.as_of + job.grace
