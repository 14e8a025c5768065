"""How each job of the timetable is carried out: from a run in the ledger to one call of a function."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from apps.common.errors import UserError
from apps.jobs import ledger
from apps.jobs.ledger import LeaseLost
from apps.jobs.models import JobRun
from apps.marketplaces.errors import Permanent

log = logging.getLogger(__name__)

Result: TypeAlias = dict[str, Any] | None
"""What is kept of a finished run; None when the run handed itself on to its next slice."""


def carry_out(run_id: int) -> None:
    """Lead one run as far as it goes now. An error that nobody foresaw is written down and raised for the log."""
    run = ledger.start(run_id=run_id)
    if run is None:
        return
    try:
        _lead(run)
    except LeaseLost as error:
        log.warning("taken over by another worker: %s", error)


def _lead(run: JobRun) -> None:
    try:
        result = RUNNERS[run.job](run)
    except LeaseLost:
        raise
    except (UserError, Permanent) as error:
        ledger.fail(run=run, error=str(error), again=False)
    except Exception as error:
        ledger.fail(run=run, error=f"{type(error).__name__}: {error}", again=True)
        raise
    else:
        if result is not None:
            ledger.finish(run=run, result=result)


RUNNERS: dict[str, Callable[[JobRun], Result]] = {}
