"""Waking a task from a floor that does not know it: by name, after the commit.

A dead broker is shrugged at: whatever a wake starts is a row in PostgreSQL that a sweep finds again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

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
    countdown = delay.total_seconds() or None
    try:
        current_app.send_task(name, args=args, countdown=countdown, queue=queue, retry=False)
    except OperationalError as error:
        log.warning("could not wake %s%r: %s; a sweep will", name, args, error)
