"""Whether the clock's slots were run in time: the last ones of each job and shop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.jobs import due, ledger
from apps.jobs.models import JobRun
from apps.jobs.schedule import Entry

State = JobRun.State
ON_TIME_WITHIN = timedelta(minutes=5)
OVERDUE_AFTER = timedelta(minutes=30)  # what it needs may take so long, and a person's own plans begin to suffer


class Punctuality(models.TextChoices):
    """What became of a slot that was due."""

    ON_TIME = "on_time", _("on time")
    LATE = "late", _("late")
    WAITING = "waiting", _("about to start")
    OVERDUE = "overdue", _("overdue")  # claimed, but nobody has begun
    MISSED = "missed", _("missed")  # not even claimed
    SKIPPED = "skipped", _("skipped: too late for it")
    FAILED = "failed", _("failed")


@dataclass(frozen=True)
class Slot:
    """One due moment of a row of the schedule, named as in the ledger, and its run."""

    entry: Entry
    due: datetime
    name: str
    run: JobRun | None
    now: datetime

    @property
    def place(self) -> tuple[str, int | None]:
        """Job and shop."""
        return self.entry.job.name, self.entry.shop.pk if self.entry.shop else None

    @property
    def punctuality(self) -> Punctuality:
        if self.run is None:
            return Punctuality.MISSED if self._is_overdue else Punctuality.WAITING
        if self.run.state in (State.SKIPPED, State.FAILED):
            return Punctuality(self.run.state)
        if self.run.started_at is None:
            return Punctuality.OVERDUE if self._is_overdue else Punctuality.WAITING
        return Punctuality.LATE if self.late > ON_TIME_WITHIN else Punctuality.ON_TIME

    @property
    def late(self) -> timedelta:
        """How long after its moment it was begun, or how long it has been waiting."""
        began = self.run.started_late if self.run else None
        return self.now - self.due if began is None else began

    @property
    def _is_overdue(self) -> bool:
        return self.now - self.due > OVERDUE_AFTER


def last_slots(rows: Iterable[Entry], *, now: datetime, within: timedelta, most: int | None = None) -> list[Slot]:
    """The slots that were due `within` so long, the oldest first, row by row; of each row the last `most`.

    What was due before its shop was there is owed by nobody. Two queries at most.
    """
    named = [
        (entry, moment, ledger.slot_for(shop=entry.shop, due=moment, daily=due.is_daily(entry.cron)))
        for entry in rows
        for moment in _moments(entry, now, within, most)
    ]
    runs = JobRun.objects.filter(job__in={entry.job.name for entry, *_ in named}, slot__in={name for *_, name in named})
    found = {(run.job, run.shop_id, run.slot): run for run in runs}
    slots = [Slot(entry, moment, name, None, now) for entry, moment, name in named]
    return [replace(slot, run=found.get((*slot.place, slot.name))) for slot in slots]


def _moments(entry: Entry, now: datetime, within: timedelta, most: int | None) -> Iterator[datetime]:
    moments = _once_a_day(entry, entry.due_between(now - within, now))
    yield from (one for one in moments[-(most or len(moments)) :] if not entry.shop or one >= entry.shop.created_at)


def _once_a_day(entry: Entry, moments: list[datetime]) -> list[datetime]:
    """In the night when clocks go back a daily moment comes twice; the first of the two is the day's slot."""
    if not due.is_daily(entry.cron):
        return moments
    first_of_day: dict[date, datetime] = {}
    for moment in moments:
        first_of_day.setdefault(moment.astimezone(entry.zone).date(), moment)
    return list(first_of_day.values())
