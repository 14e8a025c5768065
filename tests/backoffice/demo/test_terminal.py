"""The demo's terminal tells the story and what goes wrong; its log has all."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from honcho.printer import Message

from apps.backoffice.demo.terminal import Terminal


class Screen:
    """A terminal with what it shows and what its log holds."""

    def __init__(self, log: Path) -> None:
        self._output, self._log = StringIO(), log
        self._terminal = Terminal(self._output, log)
        self._terminal.width = 6

    def line(self, name: str, data: bytes) -> None:
        self._write(name, data)

    def event(self, data: str) -> None:
        """Something that honcho itself tells."""
        self._write("system", data + "\n")

    @property
    def shown(self) -> str:
        return self._output.getvalue()

    @property
    def logged(self) -> list[str]:
        """The lines of the log without their times."""
        return [line.partition(" ")[2] for line in self._log.read_text().splitlines()]

    def _write(self, name: str, data: bytes | str) -> None:
        moment = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001 - as honcho makes it
        self._terminal.write(Message(type="line", data=data, time=moment, name=name, colour=None))


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    return Screen(tmp_path / "demo.log")


def test_the_teller_speaks_as_it_is_and_the_others_with_their_name(screen: Screen) -> None:
    screen.line("clock", b"  ozon sync\xe2\x80\xa6\n")
    screen.line("worker", b"a warning\n")
    assert screen.shown == "  ozon sync…\nworker: a warning\n"


def test_an_indented_or_empty_line_of_the_teller_stays_so(screen: Screen) -> None:
    screen.line("clock", b"\n")
    screen.line("clock", b"    20 %\n")
    assert screen.shown == "\n    20 %\n"


def test_bytes_that_are_no_text_do_not_stop_it(screen: Screen) -> None:
    screen.line("web", b"caf\xe9\n")
    assert screen.shown == "web: caf\ufffd\n"


def test_starts_are_not_shown(screen: Screen) -> None:
    screen.event("web started (pid=7)")
    screen.event("sending SIGTERM to web (pid 7)")
    assert screen.shown == ""


def test_ctrl_c_is_answered_at_once_and_only_once(screen: Screen) -> None:
    screen.event("SIGINT received")
    screen.event("SIGINT received")
    assert screen.shown == "\nStopping…\n"


def test_after_ctrl_c_nobody_has_a_word(screen: Screen) -> None:
    screen.event("SIGTERM received")
    screen.line("clock", b"Stopped.\n")
    screen.line("worker", b"Traceback (most recent call last):\n")
    screen.event("worker stopped (rc=-15)")
    screen.event("web stopped (rc=0)")
    assert screen.shown == "\nStopping…\n"


def test_the_end_of_the_story_is_silent(screen: Screen) -> None:
    screen.line("clock", b"ROLLED BACK\n")
    screen.event("clock stopped (rc=0)")
    screen.event("worker stopped (rc=-15)")
    assert screen.shown == "ROLLED BACK\n"


@pytest.mark.parametrize("event", ["web stopped (rc=1)", "worker stopped (rc=-9)", "bot stopped (rc=0)"])
def test_who_ends_by_itself_is_named_and_the_log_too(screen: Screen, tmp_path: Path, event: str) -> None:
    screen.event(event)
    screen.event("clock stopped (rc=-15)")
    assert screen.shown == f"{event}; the whole story is in {tmp_path / 'demo.log'}\n"


def test_a_teller_that_fails_is_named_after_its_last_words(screen: Screen) -> None:
    screen.line("clock", b"CommandError: the facts differ\n")
    screen.event("clock stopped (rc=1)")
    assert screen.shown.startswith("CommandError: the facts differ\nclock stopped (rc=1); ")


def test_the_log_has_everything_and_belongs_to_its_owner(screen: Screen, tmp_path: Path) -> None:
    screen.event("clock started (pid=7)")
    screen.line("clock", b"20 %\n")
    screen.event("SIGINT received")
    screen.line("worker", b"the last word\n")
    assert screen.logged == [
        "system | clock started (pid=7)",
        "clock  | 20 %",
        "system | SIGINT received",
        "worker | the last word",
    ]
    assert (tmp_path / "demo.log").stat().st_mode & 0o777 == 0o600


def test_a_new_demo_begins_a_new_log(tmp_path: Path) -> None:
    (tmp_path / "demo.log").write_text("of yesterday\n")
    screen = Screen(tmp_path / "demo.log")
    screen.line("clock", b"of today\n")
    assert screen.logged == ["clock  | of today"]
