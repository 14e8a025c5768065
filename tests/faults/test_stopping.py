"""The demo is stopped while it prepares: it ends soon and with a word, nobody is left, and the next start works."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from config.env import state_folder
from config.services import Place
from tests.faults.harness import Process, eventually, launch

pytestmark = [pytest.mark.fault, pytest.mark.slow]

SOON_SECONDS = 20  # a machine under load creates a data folder, which is waited for, in ten
SERVERS_START, DATABASE_FILLS, PROCESSES_START, FIRST_SYNC = (
    "Preparing the demo",
    "an empty database",
    "a world of 20 products",
    "ozon sync",
)


@pytest.fixture
def state() -> Iterator[Path]:
    folder = state_folder() / "test" / f"demo-{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(state: Path, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Start the demo with servers of its own in `state`."""
    started: list[Process] = []
    named = ("DATABASE_URL", "REDIS_URL", "VITRINA_ENV", "VITRINA_STATE")
    env = {name: value for name, value in os.environ.items() if name not in named}

    def demo() -> Process:
        log = tmp_path / f"demo{len(started)}.log"
        command = [sys.executable, "-u", "manage.py", "demo", "--once", "--skus", "20"]
        started.append(launch("demo", command, log, env | {"VITRINA_STATE": str(state)}))
        return started[-1]

    yield demo
    for process in started:
        process.kill()
    eventually(lambda: not of_the_demo(state), "the kernel has ended what the demo left")


def of_the_demo(state: Path) -> list[str]:
    """The commands that run now and name this state folder, or its sockets, among their arguments or variables."""
    marks = [os.fsencode(state), os.fsencode(Place(state / "demo").sockets)]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments, variables = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if arguments and any(mark in arguments + variables for mark in marks):
            found.append(arguments.replace(b"\0", b" ").decode(errors="replace"))
    return found


def stop(demo: Process, state: Path, number: signal.Signals) -> str:
    """Ask as a terminal does (SIGINT, the whole group) or as a supervisor does; returns what it said."""
    asked_at = time.monotonic()
    if number == signal.SIGINT:
        os.killpg(demo.popen.pid, number)
    else:
        demo.popen.send_signal(number)
    assert demo.wait_end(within=60) == 128 + number
    assert time.monotonic() - asked_at < SOON_SECONDS
    assert of_the_demo(state) == []
    text = "\n".join(demo.lines())
    assert "Traceback" not in text
    assert "Error" not in text
    return text


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_may_be_stopped_at_any_moment_of_its_preparation(
    start: Callable[[], Process], state: Path, number: signal.Signals
) -> None:
    for moment in (SERVERS_START, DATABASE_FILLS):
        demo = start()
        demo.wait_line(moment)
        assert stop(demo, state, number).endswith("\nStopped.")
    for moment in (PROCESSES_START, FIRST_SYNC):
        demo = start()
        demo.wait_line(moment)
        time.sleep(0.3)  # past the line, into the starts that follow it
        assert stop(demo, state, number).endswith("\nStopping…")
