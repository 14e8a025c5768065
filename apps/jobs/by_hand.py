"""Runs that a person asks for, beside the schedule: now, once more after a failure, or for days that have passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from apps.common import formats
from apps.common.errors import NotFound, Refused
from apps.common.periods import Period, day_of
from apps.jobs import ledger
from apps.jobs.models import JobRun
from apps.jobs.timetable import Job, Policy, find_job
from apps.jobs.troubles import say
from apps.shops.audit import record
from apps.shops.models import Member, Shop
from apps.shops.roles import Action, require

State = JobRun.State
REPEATABLE = (State.FAILED, State.SKIPPED)


class WrongDay(Refused):
    """A day that is not accepted; `end` says which of the two."""

    def __init__(self, end: Literal["first", "last"], message: str) -> None:
        super().__init__(message)
        self.end = end


@dataclass(frozen=True)
class Errand:
    """A job to be run for a shop at the business moment `as_of`. `days` have passed, and the run is about them; without
    them it is the usual run of the day of `as_of`."""

    job: Job
    shop: Shop
    as_of: datetime
    days: Period | None = None

    @classmethod
    def of(
        cls, *, job: str, shop: Shop, as_of: datetime, first: date | None = None, last: date | None = None
    ) -> Errand:
        """`first` alone is one day. Raises `NotFound`, `WrongDay`, or `Refused` for a job that decides."""
        found = _job(job, shop)
        if first is None and last is None:
            return cls(found, shop, as_of)
        return cls(found, shop, as_of, _days(found, first, last or first, today=day_of(as_of, shop.timezone)))

    @classmethod
    def again(cls, run: JobRun, *, now: datetime) -> Errand:
        """What a run that failed, or was left out, should have done. Raises `Refused` when it is too late for that."""
        if run.shop is None:
            raise NotFound(_("There is no such thing in this seller's shops."))
        if run.state not in REPEATABLE:
            raise Refused(_("Only a run that failed or was skipped is run again."))
        if run.days:
            return cls.of(job=run.job, shop=run.shop, as_of=now, first=run.days.first, last=run.days.last)
        job = _job(run.job, run.shop)
        is_todays = day_of(run.as_of, run.shop.timezone) == day_of(now, run.shop.timezone)
        if not is_todays and not job.reach:
            raise _decides(job)
        return cls(job, run.shop, now if is_todays or job.policy is Policy.LATEST else run.as_of)


def acceptable(job: Job, *, today: date) -> Period | None:
    """The days that the job may be run for again; None for one that decides."""
    return Period.ending(today - timedelta(days=1), days=job.reach) if job.reach else None


def check(errand: Errand) -> None:
    """Raise `Refused`, in words, when the errand cannot begin now."""
    job, shop = errand.job, errand.shop
    if JobRun.objects.filter(job=job.name, shop=shop, state__in=[State.PLANNED, State.RUNNING]).exists():
        raise Refused(_("“%(job)s” is at work for this shop already, or about to start.") % {"job": job.title})
    if missing := ledger.what_is_missing(job, shop, errand.as_of):
        raise Refused(say(missing))


def start(errand: Errand, *, by: Member | None) -> JobRun:
    """Plan the run and wake a worker. `by` is None for whoever has the installation's command line."""
    if by is not None:
        require(by, Action.RUN_JOBS)
        if errand.shop.seller_id != by.seller_id:
            raise NotFound(_("There is no such thing in this seller's shops."))
    job, shop, days, person = errand.job, errand.shop, errand.days, by.person if by else None
    with transaction.atomic():
        ledger.one_at_a_time(job.name, shop.pk)
        check(errand)
        run = ledger.plan_by_hand(job=job, shop=shop, as_of=errand.as_of, days=days, by=person)
        about: dict[str, Any] = {"job": job.name, "as_of": errand.as_of.isoformat()}
        if days:
            about |= {"first_on": str(days.first), "last_on": str(days.last)}
        record("job.run_now", actor=person, shop=shop, subject=run, **about)
    return run


def _job(name: str, shop: Shop) -> Job:
    job = find_job(name)
    if job is None or not job.is_for(shop):
        raise NotFound(_("There is no such thing in this seller's shops."))
    return job


def _days(job: Job, first: date | None, last: date | None, *, today: date) -> Period:
    accepted = acceptable(job, today=today)
    if accepted is None:
        raise _decides(job)
    begin = _day("first", first, accepted)
    return Period(begin, _day("last", last, Period(begin, accepted.last)))


def _day(end: Literal["first", "last"], day: date | None, accepted: Period) -> date:
    if day is not None and accepted.first <= day <= accepted.last:
        return day
    bounds = {"first": formats.day(accepted.first), "last": formats.day(accepted.last)}
    if day is None:
        raise WrongDay(end, _("A day is missing. Accepted: from %(first)s to %(last)s.") % bounds)
    words = _("%(day)s cannot be run for. Accepted: from %(first)s to %(last)s.")
    raise WrongDay(end, words % {"day": formats.day(day), **bounds})


def _decides(job: Job) -> Refused:
    words = _(
        "“%(job)s” decides on money or stock by how things stand now, so it is never run for a day that has passed. "
        "It can be run for today."
    )
    return Refused(words % {"job": job.title})
