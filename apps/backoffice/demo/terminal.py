"""What the person at the terminal sees of a demo's processes: the story, warnings, and nothing of the machinery."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from honcho.manager import SYSTEM_PRINTER_NAME
from honcho.printer import Printer

TELLER = "clock"
"""The process whose lines are the story."""


class Terminal(Printer):
    """Shows the teller's lines as they are and the others' with their name, until the end begins. The log has all."""

    def __init__(self, output: IO[str], log: Path) -> None:
        super().__init__(output, colour=False)
        self._log = Printer(open(log, "w", opener=_for_me_alone), colour=False)  # noqa: SIM115 - as long as we
        self._is_over = False

    def write(self, message: Any) -> None:
        self._log.width = self.width
        self._log.write(message)
        if message.name == SYSTEM_PRINTER_NAME:
            self._notice(message.data.strip())
        elif not self._is_over:
            text = message.data.decode(errors="replace").rstrip()
            self._show(text if message.name == TELLER else f"{message.name}: {text}")

    def _notice(self, event: str) -> None:
        """Who was asked to end does so without words, and the teller when its story is told; who else ends is named."""
        is_asked, has_ended = event.endswith(" received"), "stopped (rc=" in event
        if self._is_over or not (is_asked or has_ended):
            return
        self._is_over = True
        if is_asked:
            self._show("\nStopping…")
        elif event != f"{TELLER} stopped (rc=0)":
            self._show(f"{event}; the whole story is in {self._log.output.name}")

    def _show(self, line: str) -> None:
        print(line, file=self.output, flush=True)


def _for_me_alone(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
