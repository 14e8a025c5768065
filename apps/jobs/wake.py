"""Waking a task from a floor that does not know it: by name, after the commit.

A broker that is away, silent or full is shrugged at: whatever a wake starts is a row in PostgreSQL that a sweep finds
again. Where people wait for the commit that wakes, a broker that does not answer at once is not waited for.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from kombu.pools import producers

log = logging.getLogger(__name__)

# Every name that `wake` may be called with; a test checks that a task of that name is registered.
WAKEABLE = (
    "commands.run",
    "drift.look",
    "hints.follow",
    "jobs.run",
    "keys.probe",
    "store.refresh",
    "sync.step",
)

LONGEST_DELAY = timedelta(minutes=10)

# Instead of the queue's own patience (config/celery.py), which is that of a worker.
IMPATIENT = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0}
PAUSE_SECONDS = 5.0  # how long a broker is left alone after it failed: of many wakes only the first one waits

_left_alone_until: dict[str, float] = {}  # by the broker's address, on this process's monotonic clock


def wake(name: str, *args: object, delay: timedelta = timedelta(0), queue: str | None = None) -> None:
    """Send the task `name` with plain arguments (ids) once the current transaction has committed.

    `delay` is at most ten minutes: what must wait longer has its time in PostgreSQL and a sweep. Without `queue` it
    goes where the routes of the queue send its name.
    """
    if name not in WAKEABLE:
        raise ValueError(f"{name!r} is not in WAKEABLE")
    if delay > LONGEST_DELAY:
        raise ValueError(f"a wake may wait {LONGEST_DELAY} at most, got {delay}")
    transaction.on_commit(lambda: _send(name, args, delay, queue))


def _send(name: str, args: tuple[object, ...], delay: timedelta, queue: str | None) -> None:
    patience = IMPATIENT if settings.PEOPLE_WAIT else {}
    broker = current_app.connection_for_write(transport_options=patience)
    if time.monotonic() < _left_alone_until.get(broker.as_uri(), 0.0):
        return
    countdown = delay.total_seconds() or None
    try:
        with producers[broker].acquire(block=True) as producer:
            current_app.send_task(name, args=args, countdown=countdown, queue=queue, retry=False, producer=producer)
    except OperationalError as error:
        _left_alone_until[broker.as_uri()] = time.monotonic() + PAUSE_SECONDS
        log.warning("could not wake %s%r: %s; a sweep will", name, args, error)
