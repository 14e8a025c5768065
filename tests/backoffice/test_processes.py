"""The parent of the Procfile's processes, with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.test import override_settings

from apps.backoffice import processes
from config.env import BASE_DIR

pytestmark = pytest.mark.process

PARENT = """
import sys, django
django.setup()
from apps.backoffice.processes import Processes, environment
parent = Processes(environment())
for number, command in enumerate(sys.argv[1:]):
    name, named, rest = command.partition(": ")
    parent.add(*(name, rest) if named else (f"p{number}", command))
parent.loop()
sys.exit(parent.returncode)
"""


# Asks itself to stop as soon as one process has told its pid, and perhaps not yet the others.
ASKED_EARLY = """
import os, signal, sys, django
django.setup()
from honcho.printer import Printer
from apps.backoffice.processes import Processes, environment

class Impatient(Printer):
    def write(self, message):
        super().write(message)
        if "started" in message.data:
            os.kill(os.getpid(), signal.SIGTERM)

parent = Processes(environment(), Impatient())
for number in range(8):
    parent.add(f"p{number}", "exec sleep 66.25")
parent.loop()
sys.exit(parent.returncode)
"""


def start(*commands: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, *commands],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(parent: subprocess.Popen[str], *words: str) -> str:
    """The output up to the line in which the last of the words has appeared."""
    assert parent.stdout is not None
    text = ""
    while not all(word in text for word in words):
        line = parent.stdout.readline()
        assert line, f"it ended early: {text}"
        text += line
    return text


def pid_of(mark: str) -> int:
    """The process that has this word among its arguments; 0 when there is none."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark.encode() in arguments.split(b"\0"):
            return int(folder.name)
    return 0


def is_running(mark: str) -> bool:
    return pid_of(mark) != 0


@pytest.mark.slow
def test_sigterm_stops_all_and_lets_a_slow_one_finish() -> None:
    slow = "trap 'sleep 6; echo slow is done; exit 0' TERM; echo slow waits; while true; do sleep 0.1; done"
    parent = start(slow, "echo quick waits; exec sleep 61.25")
    read_until(parent, "slow waits", "quick waits")
    parent.send_signal(signal.SIGTERM)
    rest, _ = parent.communicate(timeout=60)
    assert "slow is done" in rest
    assert parent.returncode == 128 + signal.SIGTERM
    assert not is_running("61.25")


@pytest.mark.slow
def test_sigterm_reaches_the_process_and_not_its_children() -> None:
    """A worker's children must live until the worker has put their tasks back."""
    child = "sh -c 'trap \"echo the child was hit\" TERM; while true; do sleep 0.1; done' &"
    parent = start(f"{child} trap 'exit 0' TERM; echo waits; while true; do sleep 0.1; done")
    read_until(parent, "waits")
    parent.send_signal(signal.SIGTERM)
    rest, _ = parent.communicate(timeout=60)
    assert "the child was hit" not in rest


def test_the_end_of_one_ends_the_others_and_gives_the_code() -> None:
    parent = start("sleep 0.3; exit 7", "exec sleep 62.25", "sleep 63.25 & wait")
    parent.communicate(timeout=60)
    assert parent.returncode == 7
    assert not is_running("62.25")
    assert not is_running("63.25")


@pytest.mark.slow
def test_a_request_that_comes_while_they_start_ends_them_all() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED_EARLY], cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == ""
    assert not is_running("66.25")


@pytest.mark.slow
def test_ctrl_c_while_they_start_is_answered_by_the_parent_alone() -> None:
    """At a terminal it goes to every process of the group, and a fresh child still has its parent's handlers."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *["exec sleep 67.25"] * 8],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    read_until(parent, "p0 started")
    os.killpg(parent.pid, signal.SIGINT)
    rest, _ = parent.communicate(timeout=60)
    assert parent.returncode == 128 + signal.SIGINT
    assert rest.count("SIGINT received") == 1
    assert "Traceback" not in rest
    assert not is_running("67.25")


@pytest.mark.slow
def test_a_view_that_is_killed_comes_back_and_ends_nobody() -> None:
    parent = start("echo works; exec sleep 68.25", "flower: echo shows; sleep 69.25")
    read_until(parent, "works", "shows")
    os.kill(pid_of("69.25"), signal.SIGKILL)
    read_until(parent, "ended (rc=137); starting it again", "shows")
    assert is_running("68.25")
    assert is_running("69.25")
    parent.send_signal(signal.SIGTERM)
    parent.communicate(timeout=60)
    assert parent.returncode == 128 + signal.SIGTERM
    assert not is_running("69.25")


def test_nothing_outlives_a_parent_that_was_killed() -> None:
    parent = start("echo one waits; exec sleep 64.25", "echo two waits; exec sleep 65.25")
    read_until(parent, "one waits", "two waits")
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 60
    while is_running("64.25") or is_running("65.25"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_commands_find_the_tools_beside_this_python_and_the_ports() -> None:
    with override_settings(WEB_PORT=8123):
        env = processes.environment({"WORLD_URL": "http://127.0.0.1:9"})
    assert env["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert env["WEB_PORT"] == "8123"
    assert env["WORLD_URL"] == "http://127.0.0.1:9"
    assert env["REMAP_SIGTERM"] == "SIGQUIT"
