"""The process that benches of a sync measure: it carries runs out as a worker does, and says what its time went to.

The id of a run comes on a line of standard input; when the run has ended, a line of JSON goes back:
{"peak_mb": .., "now_mb": .., "slices": .., "seconds": {stage: {what: seconds}}}. A stage is a source of the sync.

What: `database` is every call of psycopg from its start to its end, the whole of a COPY included; `http` is from
sending a request to the last byte of its answer; `turns` is waiting for a call that the marketplace's limit leaves
free; `python` is everything else.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

DATABASE, HTTP, TURNS, PYTHON = "database", "http", "turns", "python"
FETCHES = ("fetchone", "fetchmany", "fetchall")


class Stopwatch:
    """Seconds by stage and by what they went to; while one thing goes on inside another, the inner one counts."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._unassigned: defaultdict[str, float] = defaultdict(float)
        self._going_on = [PYTHON]
        self._since = time.perf_counter()

    def look(self) -> None:
        now = time.perf_counter()
        self._unassigned[self._going_on[-1]] += now - self._since
        self._since = now

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        self.look()
        self._going_on.append(what)
        try:
            yield
        finally:
            self.look()
            self._going_on.pop()

    def assign(self, stage: str) -> None:
        """What passed since the last time belongs to this stage."""
        self.look()
        for what, seconds in self._unassigned.items():
            self.seconds[stage][what] += seconds
        self._unassigned.clear()

    def start(self) -> None:
        self.seconds.clear()
        self._unassigned.clear()
        self._since = time.perf_counter()

    def wrap(self, owner: Any, name: str, what: str) -> None:
        """Have every call of a method counted."""
        original: Callable[..., Any] = getattr(owner, name)

        @wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.on(what):
                return original(*args, **kwargs)

        setattr(owner, name, timed)


def watch_calls(watch: Stopwatch) -> None:
    import psycopg

    from apps.jobs import sync_runs
    from apps.marketplaces.http import HttpCore
    from apps.marketplaces.ratelimit import RateLimiter

    for name in ("execute", "executemany", *FETCHES):
        watch.wrap(psycopg.Cursor, name, DATABASE)
    for name in ("commit", "rollback", "connect"):
        watch.wrap(psycopg.Connection, name, DATABASE)
    watch.wrap(HttpCore, "_exchange", HTTP)
    watch.wrap(RateLimiter, "acquire", TURNS)

    copy, renew = psycopg.Cursor.copy, sync_runs.renew

    @contextmanager
    def timed_copy(*args: Any, **kwargs: Any) -> Iterator[psycopg.Copy]:
        with watch.on(DATABASE), copy(*args, **kwargs) as copying:
            yield copying

    def told(*, run: Any, progress: dict[str, Any]) -> None:
        renew(run=run, progress=progress)
        watch.assign(progress["stage"])

    psycopg.Cursor.copy = timed_copy  # type: ignore[method-assign]
    sync_runs.renew = told  # type: ignore[assignment]


def memory_mb(field: str, pid: int | str = "self") -> float:
    """`VmHWM`, the most that a process ever held, or `VmRSS`, what it holds now."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) / 1024


def carry_out(run_id: int) -> int:
    """Every slice until the run has ended; returns how many there were."""
    from apps.jobs.models import JobRun
    from tasks import runners

    live = (JobRun.State.PLANNED, JobRun.State.RUNNING)
    slices = 0
    while (run := JobRun.objects.get(pk=run_id)).state in live:
        slices += 1
        runners.carry_out(run_id)
    if run.state != JobRun.State.DONE:
        raise RuntimeError(f"{run} is {run.state}: {run.error}")
    return slices


def main() -> None:
    import django

    django.setup()
    watch = Stopwatch()
    watch_calls(watch)
    for line in sys.stdin:
        watch.start()
        slices = carry_out(int(line))
        watch.assign("end")
        answer = {
            "peak_mb": memory_mb("VmHWM"),
            "now_mb": memory_mb("VmRSS"),
            "slices": slices,
            "seconds": watch.seconds,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
