"""Waking a task from a floor that does not know it: by name, after the commit.

A dead broker is shrugged at: whatever a wake starts is a row in PostgreSQL that a sweep finds again.
"""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

# Every name that `wake` may be called with; a test checks that a task of that name is registered.
WAKEABLE = (
    "commands.run",
    "jobs.run",
    "sync.step",
    "notifications.nudge",
)


def wake(name: str, *args: object) -> None:
    """Send the task `name` with plain arguments (ids) once the current transaction has committed."""
    if name not in WAKEABLE:
        raise ValueError(f"{name!r} is not in WAKEABLE")
    transaction.on_commit(lambda: _send(name, args))


def _send(name: str, args: tuple[object, ...]) -> None:
    try:
        current_app.send_task(name, args=args, retry=False)
    except OperationalError as error:
        log.warning("could not wake %s%r: %s; a sweep will", name, args, error)
