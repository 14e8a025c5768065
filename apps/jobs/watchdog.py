"""Who watches the clock: ticks that do not come, queues that nobody works on, runs that failed, that are late or were
left out, a clock that ran ahead.

`alarms` says what people must know now; whoever tells them does it once for each alarm's key, which names an outage by
its start. Besides the clock's own tick a process that runs without the clock (the bot) asks, or a clock that stands
would be noticed only when it goes again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from apps.common.clock import real_now
from apps.jobs import ledger
from apps.jobs.models import JobRun, Pulse
from apps.jobs.punctuality import Punctuality, Slot, last_slots
from apps.jobs.schedule import entries
from apps.jobs.timetable import Queue
from apps.shops.models import Seller

log = logging.getLogger(__name__)

CLOCK = "clock"
TOLERANCE = timedelta(seconds=10)  # two machines' clocks may differ by so much
TELL_FAILURES_FOR = timedelta(days=1)
UNPUNCTUAL = {Punctuality.OVERDUE: "job_late", Punctuality.MISSED: "job_late", Punctuality.SKIPPED: "job_skipped"}
PING_SECONDS = 5


@dataclass(frozen=True)
class Alarm:
    """Something the owners must know: of one seller, or (None) of all. `params` are ids and moments for the message."""

    name: str
    key: str
    params: dict[str, Any]
    seller: Seller | None = None


def alarms(*, now: datetime) -> list[Alarm]:
    """Everything that is wrong now. The same outage has the same key each time. `now` is business time."""
    return [*_clock_stands(), *_silent_queues(), *_failed_runs(), *_unpunctual_slots(now)]


def tick(*, now: datetime) -> None:
    """The clock goes. `now` is business time; ask for `alarms` first, or a gap that has just ended is forgotten."""
    ledger.void_future(now=now + TOLERANCE)
    _excuse_queues()
    beat(CLOCK)


def beat(part: str) -> None:
    """This part is at work right now."""
    Pulse.objects.update_or_create(part=part, defaults={"at": real_now()})


def queue_part(queue: str) -> str:
    return f"queue:{queue}"


def repair_last_runs() -> int:
    """Bring every `last_run_at` that lies ahead back to now: beat would fire nothing until then. Returns how many."""
    now = real_now()
    repaired: int = PeriodicTask.objects.filter(last_run_at__gt=now + TOLERANCE).update(last_run_at=now)
    if repaired:
        log.error("the clock was ahead: %d rows of the schedule repaired", repaired)
        PeriodicTasks.update_changed()
    return repaired


def ping_outside() -> None:
    """Tell an outside dead man's switch, if there is one, that clock, queue, worker and database are alive."""
    if not settings.DEADMAN_URL:
        return
    try:
        requests.get(settings.DEADMAN_URL, timeout=PING_SECONDS).raise_for_status()
    except requests.RequestException as error:
        log.warning("the dead man's switch did not take the ping: %s", error)


def _clock_stands() -> Iterator[Alarm]:
    since = _seen(CLOCK)
    if real_now() - since > _longest_gap():
        yield Alarm("clock_stopped", f"clock_stopped:{since.isoformat()}", {"since": since.isoformat()})


def _silent_queues() -> Iterator[Alarm]:
    """Those that had not answered by the last tick: while the clock stands nobody asks them."""
    asked_at = _seen(CLOCK)
    for queue in Queue:
        since = _seen(queue_part(queue))
        if asked_at - since > _longest_silence():
            params = {"queue": str(queue), "since": since.isoformat()}
            yield Alarm("queue_silent", f"queue_silent:{queue}:{since.isoformat()}", params)


def _excuse_queues() -> None:
    """After a time in which the clock stood, the silence of a queue counts from now, unless it was told before."""
    stood_from = _seen(CLOCK)
    if real_now() - stood_from > _longest_gap():
        parts = [queue_part(queue) for queue in Queue]
        Pulse.objects.filter(part__in=parts, at__gte=stood_from - _longest_silence()).update(at=real_now())


def _seen(part: str) -> datetime:
    """When a part was last at work. One never seen counts from the first question."""
    pulse, _ = Pulse.objects.get_or_create(part=part, defaults={"at": real_now()})
    return pulse.at


def _longest_gap() -> timedelta:
    """Between two ticks."""
    return timedelta(seconds=settings.TICK_ALERT_SECONDS)


def _longest_silence() -> timedelta:
    """A worker may be at a long task and answer a ping late, but not later than the longest task takes."""
    return timedelta(seconds=settings.JOB_LEASE_SECONDS) + _longest_gap()


def _failed_runs() -> Iterator[Alarm]:
    failed = JobRun.objects.filter(state=JobRun.State.FAILED, finished_at__gt=real_now() - TELL_FAILURES_FOR)
    for run in failed.select_related("shop__seller").order_by("pk"):
        yield Alarm("job_failed", f"job_failed:{run.pk}", {"run": run.pk}, run.shop.seller if run.shop else None)


def _unpunctual_slots(now: datetime) -> Iterator[Alarm]:
    """Slots of the last day. Not of a world whose days pass in seconds: each of its hours is skipped over."""
    if settings.WORLD_URL:
        return
    for slot in last_slots(entries(), now=now, within=TELL_FAILURES_FOR):
        if name := UNPUNCTUAL.get(slot.punctuality):
            yield _about(slot, name)


def _about(slot: Slot, name: str) -> Alarm:
    (job, shop_id), shop = slot.place, slot.entry.shop
    params = {"job": job, "shop": shop_id, "due": slot.due.isoformat()}
    return Alarm(name, f"{name}:{job}:{shop_id}:{slot.name}", params, shop.seller if shop else None)
