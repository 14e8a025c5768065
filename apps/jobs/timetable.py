"""What a timetable is made of. The timetable itself is `config/timetable.py`, named by `settings.TIMETABLE`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from apps.shops.models import Shop


class Policy(StrEnum):
    """What becomes of a slot that nobody ran at its time."""

    LATEST = "latest"  # the newest one is run, however late: it makes up for all before it
    SKIP = "skip"  # the newest one is run within its grace, and is recorded as skipped afterwards
    ALL = "all"  # each one is run within its grace; never for anything that touches money


class Queue(StrEnum):
    """Work is kept apart by what must not wait behind what."""

    MONEY = "money"  # commands, one after the other
    FAST = "fast"  # what takes milliseconds: the clock's ticks
    SYNC = "sync"  # slices of minutes that wait for a marketplace
    ANALYTICS = "analytics"  # what computes: reports, analyses, verdicts


@dataclass(frozen=True)
class Job:
    """A daily job: the clock claims a slot of it for each day, and each shop of these `kinds` (none: one for all).
    An `hourly` one has a slot for each hour, at the minute of `at`.

    `needs` names a job that must be done for the same day first: until then the run waits, past its `grace` it fails.
    `reach` is how many days back a person may have it run for; 0 is a job that decides, on money too, by how things
    stand now, and so is never run for a day that has passed.
    """

    name: str
    title: str | Promise
    at: time  # on the shop's wall; an admin may move it
    queue: Queue
    policy: Policy
    why: str | Promise  # why at this hour, why this policy
    kinds: tuple[str, ...] = ()
    grace: timedelta = timedelta(days=1)
    needs: str = ""
    hourly: bool = False
    calls_with: str = ""  # the API whose key it calls with: while that is refused the run waits
    reach: int = 0

    @property
    def per_shop(self) -> bool:
        return bool(self.kinds)

    def is_for(self, shop: Shop) -> bool:
        return shop.is_active and shop.kind in self.kinds


@dataclass(frozen=True)
class Tick:
    """A task of a few milliseconds that beat sends again and again. It claims no slot: one more does no harm."""

    task: str
    title: str | Promise
    every: timedelta
    why: str | Promise


def timetable() -> tuple[Job, ...]:
    """Every daily job, in the order of the day."""
    jobs: tuple[Job, ...] = import_string(f"{settings.TIMETABLE}.TIMETABLE")
    return jobs


def ticks() -> tuple[Tick, ...]:
    found: tuple[Tick, ...] = import_string(f"{settings.TIMETABLE}.TICKS")
    return found


def find_job(name: str) -> Job | None:
    return next((job for job in timetable() if job.name == name), None)


def find_tick(task: str) -> Tick | None:
    return next((tick for tick in ticks() if tick.task == task), None)
