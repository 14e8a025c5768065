"""The scheduler of beat: the rows of the database, and a clock that was set back.

When the system's clock ran ahead and is set right, rows say that they last ran in the future, and beat would fire
nothing until then, its own watchdog included. So beat itself repairs them.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from apps.common.clock import real_now
from apps.jobs.watchdog import TOLERANCE, repair_last_runs

log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """Named in the queue's settings as `beat_scheduler`."""

    def schedule_changed(self) -> bool:
        """Asked every few seconds; a true answer makes beat read its rows again."""
        changed = bool(super().schedule_changed())
        if self._ran_ahead():
            self._dirty.clear()  # what it still meant to write holds the wrong times
            return True
        return changed

    def install_default_entries(self, data: Any) -> None:
        """None: Celery's own cleans up kept results, and none are kept."""

    def _ran_ahead(self) -> bool:
        try:
            repaired = repair_last_runs()
        except DatabaseError as error:
            log.warning("the rows of the schedule could not be looked at: %s", error)
            return False
        latest = real_now() + TOLERANCE
        return bool(repaired) or any(entry.last_run_at > latest for entry in self._schedule.values())
