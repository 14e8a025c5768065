"""How far the first morning has come, for the terminal."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from apps.jobs.models import JobRun

# What the stages of the first sync take of its whole, in percent: from, to. The others take no time to speak of.
SHARES = {"orders": (5, 95), "fbo_postings": (5, 70), "fbs_postings": (70, 95), "facts": (95, 100)}
STEP = 20


class Progress:
    """A line for each job when it begins, and for every further fifth of a sync."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._job = ""
        self._percent = 0

    def watch(self, run: JobRun) -> None:
        if run.job != self._job:
            self._job, self._percent = run.job, 0
            self._say(f"  {run.job.replace('_', ' ')}…")
        percent = _percent(run)
        if percent >= self._percent + STEP:
            self._percent = percent - percent % STEP
            self._say(f"    {self._percent} %")


def took(runs: Iterable[JobRun]) -> str:
    """How long each job took, in real seconds: "OZON sync 61.0 s, daily report 1.2 s"."""
    seconds: dict[str, float] = defaultdict(float)
    for run in runs:
        if run.started_at and run.finished_at:
            seconds[run.job] += (run.finished_at - run.started_at).total_seconds()
    return ", ".join(f"{job.replace('_', ' ')} {spent:.1f} s" for job, spent in seconds.items())


def timed(say: Callable[[str], None]) -> Callable[[str], None]:
    """The same with the seconds since the line before behind each line: what it tells of took so long."""
    last = time.monotonic()

    def say_with_time(line: str) -> None:
        nonlocal last
        now = time.monotonic()
        say(f"{line} ({now - last:.1f} s)")
        last = now

    return say_with_time


def _percent(run: JobRun) -> int:
    """How much of a sync is done; 0 for a job that does not tell."""
    low, high = SHARES.get(run.progress.get("stage", ""), (0, 0))
    done, total = run.progress.get("done") or 0, run.progress.get("total") or 0
    return low + (high - low) * min(done, total) // total if total else low
