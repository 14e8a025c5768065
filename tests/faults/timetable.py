"""The project's timetable and jobs that do nothing but leave a trace, for workers of the fault tests."""

from __future__ import annotations

import os
import resource
import signal
import time as waiting
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path

from apps.jobs import ledger
from apps.jobs.models import JobRun
from apps.jobs.timetable import Job, Policy, Queue
from apps.shops.audit import record
from config import timetable

TRACE = Job("trace", "trace", time(0, 1), Queue.FAST, Policy.LATEST, "it is over soon", ("ozon",))
MORNING = Job(
    "morning", "morning", time(0, 3), Queue.FAST, Policy.SKIP, "nobody wants it later", ("ozon",), timedelta(minutes=1)
)
SLICES = Job("slices", "slices", time(0, 2), Queue.SYNC, Policy.LATEST, "it takes three", ("ozon",))
HOARD = Job("hoard", "hoard", time(0, 4), Queue.FAST, Policy.LATEST, "it wants more than there is", ("ozon",))

TIMETABLE = (*timetable.TIMETABLE, TRACE, MORNING, SLICES, HOARD)
TICKS = timetable.TICKS
MOST_HOARDED = 200 * 2**20  # bytes, over what the process has already


def leave_a_trace(run: JobRun) -> dict[str, object]:
    """TRACE_SECONDS of work between two rows of the audit trail."""
    record("trace.began", shop=run.shop, subject=run)
    waiting.sleep(float(os.environ.get("TRACE_SECONDS", "0")))
    record("trace.ended", shop=run.shop, subject=run)
    return {"worker": os.environ.get("WORKER", "")}


def leave_a_slice(run: JobRun) -> dict[str, object] | None:
    number = run.progress.get("slices", 0) + 1
    record(f"slice.{number}", shop=run.shop, subject=run)
    if number == 3:
        return {"slices": number}
    ledger.hand_on(run=run, progress={"slices": number})
    return None


def take_all_memory(run: JobRun) -> dict[str, object]:
    """More and more of it, until the process may have no more: where the kernel would kill it, it kills itself."""
    record("hoard.began", shop=run.shop, subject=run)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MOST_HOARDED, before[1]))
    try:
        hoard = [bytearray(2**20) for _ in range(MOST_HOARDED // 2**20 + 1)]
    except MemoryError:
        if os.environ.get("OUT_OF_MEMORY") == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return {"hoarded": len(hoard)}


def _address_space() -> int:
    """Bytes that this process has asked the kernel for."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


RUNNERS: dict[str, Callable[[JobRun], dict[str, object] | None]] = {
    TRACE.name: leave_a_trace,
    MORNING.name: leave_a_trace,
    SLICES.name: leave_a_slice,
    HOARD.name: take_all_memory,
}
