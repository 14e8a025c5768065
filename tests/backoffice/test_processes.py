"""The parent of the Procfile's processes, with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from apps.backoffice import processes
from apps.backoffice.management.commands import run
from config.env import BASE_DIR, state_folder

PARENT = """
import sys, django
django.setup()
from apps.backoffice.processes import Processes, environment
parent = Processes(environment())
for number, command in enumerate(sys.argv[1:]):
    parent.add(f"p{number}", command)
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


def is_running(mark: str) -> bool:
    """Whether a process has this word among its arguments."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark.encode() in arguments.split(b"\0"):
            return True
    return False


def test_sigterm_stops_all_and_lets_a_slow_one_finish() -> None:
    slow = "trap 'sleep 6; echo slow is done; exit 0' TERM; echo slow waits; while true; do sleep 0.1; done"
    parent = start(slow, "echo quick waits; exec sleep 61.25")
    read_until(parent, "slow waits", "quick waits")
    parent.send_signal(signal.SIGTERM)
    rest, _ = parent.communicate(timeout=30)
    assert "slow is done" in rest
    assert parent.returncode == 128 + signal.SIGTERM
    assert not is_running("61.25")


def test_sigterm_reaches_the_process_and_not_its_children() -> None:
    """A worker's children must live until the worker has put their tasks back."""
    child = "sh -c 'trap \"echo the child was hit\" TERM; while true; do sleep 0.1; done' &"
    parent = start(f"{child} trap 'exit 0' TERM; echo waits; while true; do sleep 0.1; done")
    read_until(parent, "waits")
    parent.send_signal(signal.SIGTERM)
    rest, _ = parent.communicate(timeout=30)
    assert "the child was hit" not in rest


def test_the_end_of_one_ends_the_others_and_gives_the_code() -> None:
    parent = start("sleep 0.3; exit 7", "exec sleep 62.25", "sleep 63.25 & wait")
    parent.communicate(timeout=30)
    assert parent.returncode == 7
    assert not is_running("62.25")
    assert not is_running("63.25")


def test_nothing_outlives_a_parent_that_was_killed() -> None:
    parent = start("echo one waits; exec sleep 64.25", "echo two waits; exec sleep 65.25")
    read_until(parent, "one waits", "two waits")
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
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


def test_a_real_shop_does_not_run_on_the_demos_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "env_file", lambda: state_folder() / "demo.env")
    with pytest.raises(CommandError, match=r"There is no \.env yet"):
        call_command("run")


def test_nothing_starts_when_the_release_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "procfile", lambda: {"release": "exit 3", "web": "echo started"})
    with pytest.raises(CommandError, match="The release step failed; nothing was started") as refusal:
        call_command("run")
    assert refusal.value.returncode == 3
