"""Living through the demo's days: the timetable's slots in order, each waited for, and the chat page told.

This stands in for beat, whose hours would never come: the world's date moves when somebody presses a button.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

from celery import current_app
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from apps.analytics.models import StaleDay
from apps.backoffice.demo.world import World
from apps.common import clock
from apps.common.periods import at_time
from apps.decisions.approval import expire_due
from apps.decisions.models import Command
from apps.jobs.ledger import plan, slot_for
from apps.jobs.models import JobRun
from apps.jobs.timetable import Job, ticks, timetable
from apps.notifications import outbox
from apps.shops.models import Shop

log = logging.getLogger(__name__)

ENDED = (JobRun.State.DONE, JobRun.State.FAILED, JobRun.State.SKIPPED)
LONGEST_JOB_SECONDS = 300
LONGEST_TALK_SECONDS = 60
LOOK_SECONDS = 0.1
# A demo's days come when they are asked for: catching up belongs to a clock that goes by itself.
OWN_TICKS = ("commands.sweep", "store.sweep", "jobs.watchdog", "proposals.expire", "experiments.sweep")

Watch = Callable[[JobRun], None]


class Shops(NamedTuple):
    """The demo's two shops, which are of one seller."""

    ozon: Shop
    crm: Shop


class DemoFailed(Exception):
    """A day could not be lived through; the text says what went wrong."""


def live_through(
    world: World,
    shops: Shops,
    day: date,
    *,
    watch: Watch | None = None,
    after: dict[str, Callable[[], None]] | None = None,
) -> list[JobRun]:
    """Run every slot of `day` for the shops, in the order of the day. `watch` sees each run while it is waited for;
    `after` names what the demo does itself once a job is done."""
    now = clock.now()
    expire_due(now=now)
    runs = []
    for job in timetable():
        for shop in filter(job.is_for, shops):
            world.notice(_("%(job)s…") % {"job": capfirst(str(job.title))}, "progress", day)
            runs.append(run_slot(job, shop, day, now, watch=watch))
            (after or {}).get(job.name, lambda: None)()
    wait_for_silence()
    world.notice(_("The day is ready."), "ready", day)
    return runs


def run_slot(job: Job, shop: Shop, day: date, now: datetime, *, watch: Watch | None = None) -> JobRun:
    """Claim the slot, of an hourly job the day's first, and wait for its end. Raises `DemoFailed`."""
    due = min(at_time(day, job.at, shop.timezone), now)
    daily = not job.hourly
    plan(job=job, shop=shop, due=due, daily=daily)
    slot = JobRun.objects.filter(job=job.name, shop=shop, slot=slot_for(shop=shop, due=due, daily=daily))

    def has_ended() -> bool:
        run = slot.get()
        if watch:
            watch(run)
        return run.state in ENDED

    wait_until(has_ended, LONGEST_JOB_SECONDS, f"the job {job.name}")
    run = slot.get()
    if run.state != JobRun.State.DONE:
        raise DemoFailed(f"the job {job.name} of {day} ended as {run.state}: {run.error}")
    return run


def wait_for_silence() -> None:
    """Until no command moves and every message that is due has reached its chat."""
    moving = Command.objects.filter(state__in=Command.LIVE)
    wait_until(lambda: not moving.exists(), LONGEST_JOB_SECONDS, "the commands")
    waiting = outbox.waiting(now=clock.now())
    wait_until(lambda: not waiting.exists(), LONGEST_TALK_SECONDS, "the messages")


def wait_for_figures() -> None:
    """Until the read store has taken in everything that has changed."""
    wait_until(lambda: not StaleDay.objects.exists(), LONGEST_TALK_SECONDS, "the read store")


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise DemoFailed(f"waited {seconds:.0f} seconds in vain for {what}")
        time.sleep(LOOK_SECONDS)


@contextmanager
def ticking() -> Iterator[None]:
    """Send what beat would send every so often, from a thread beside the block."""
    over = threading.Event()
    thread = threading.Thread(target=_tick_until, args=(over,), name="ticks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tick_until(over: threading.Event) -> None:
    own = [tick for tick in ticks() if tick.task in OWN_TICKS]
    last = {tick.task: time.monotonic() for tick in own}
    while not over.wait(1):
        for tick in own:
            if time.monotonic() - last[tick.task] >= tick.every.total_seconds():
                last[tick.task] = time.monotonic()
                _send(tick.task)


def _send(task: str) -> None:
    try:
        current_app.send_task(task, expires=10, retry=False)
    except OperationalError as error:
        log.warning("the queue did not take the tick %s: %s", task, error)
