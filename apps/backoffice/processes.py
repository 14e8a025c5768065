"""The processes of the Procfile under one parent: started together, stopped together, none left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM
from typing import Any

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.process import Popen, Process

from config.servers import die_with

RELEASE = "release"
ASKING = (SIGINT, SIGTERM)
MARGIN_SECONDS = 10  # beyond the soft shutdown of a worker
# What only shows something ends nobody when it ends: it is started again.
VIEWS = ("flower",)
AGAIN = """
trap 'kill $view; wait $view; exit' TERM
while true; do ({command}) & view=$!; wait $view; echo "ended (rc=$?); starting it again"; sleep 2; done
"""


def procfile() -> dict[str, str]:
    """Name and command of each process, the release step among them."""
    return dict(parse_procfile((settings.BASE_DIR / "Procfile").read_text()).processes)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the commands of the Procfile need: this Python's tools first on the path, the ports, the names."""
    tools = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join((tools, os.environ.get("PATH", os.defpath))),
        "WEB_PORT": str(settings.WEB_PORT),
        "BOT_PORT": str(settings.BOT_PORT),
        "FLOWER_PORT": str(settings.FLOWER_PORT),
        "FLOWER_USER": settings.FLOWER_USER,
        "FLOWER_PASSWORD": settings.FLOWER_PASSWORD,
        "VITRINA_STATE": str(settings.STATE),
        "REMAP_SIGTERM": "SIGQUIT",  # to a worker SIGTERM then means its soft shutdown
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


class Processes(Manager):
    """A honcho manager that lets workers finish softly, and leaves nothing behind when it is killed itself.

    `add(name, command)`, then `loop()`, which returns when all have ended; the end of one ends the others. `returncode`
    is that of the first to end, or 128 + the signal that asked for the end.
    """

    def __init__(self, env: Mapping[str, str], printer: Any = None) -> None:
        super().__init__(printer)
        self._env = dict(env)
        self._procmgr = _Signals()
        self._process_ctor = _Tied
        self._asked_at = float("inf")

    def add(self, name: str, command: str) -> None:
        if name in VIEWS:
            command = AGAIN.format(command=command)
        self.add_process(name, command, env=self._env, cwd=str(settings.BASE_DIR))

    def _start(self) -> None:
        """Ctrl-C waits until all are forked: a child that is not yet one would answer it as its parent does."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
        super()._start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)

    def terminate(self) -> None:
        """Honcho can only end what has told its pid. Until all have, `_any_stopped` keeps the request."""
        self._asked_at = min(self._asked_at, time.monotonic())
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        """When it is so, honcho's loop calls `terminate`."""
        return self._asked_at < float("inf") or bool(super()._any_stopped())

    def kill(self) -> None:
        """Called in every turn of the loop from honcho's own 5 seconds on; workers may take longer."""
        if time.monotonic() - self._asked_at > settings.SOFT_SHUTDOWN_SECONDS + MARGIN_SECONDS:
            super().kill()


class _Signals:
    """SIGTERM goes to the process alone: to its group it would kill the children of a worker in mid-task."""

    def terminate(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGTERM)

    def kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, SIGKILL)


class _Tied(Process):
    """A process that the kernel ends when its parent is killed, and whose children end with it."""

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        die_with(os.getppid(), SIGKILL)()
        self._child_ctor = _launch
        super().run(events, ignore_signals)


def _launch(command: str, **options: Any) -> Popen:
    tie = die_with(os.getpid(), SIGTERM)

    def before_it_begins() -> None:
        tie()
        for asking in ASKING:
            signal.signal(asking, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)

    child = Popen(command, preexec_fn=before_it_begins, **options)
    threading.Thread(target=_end_group_after, args=(child,), daemon=True).start()
    return child


def _end_group_after(child: Popen) -> None:
    """What a process leaves in its group would hold its output open, and its ports."""
    child.wait()
    _Signals().kill(child.pid)
