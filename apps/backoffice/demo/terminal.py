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
        self._log = Printer(os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"), colour=False)
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
        """Who was asked to end does so without words; who ends by itself with a failure is named."""
        if event.endswith(" received"):
            self._show("\nStopping…")
        elif "stopped (rc=" not in event:
            return
        elif not self._is_over and not event.endswith("(rc=0)"):
            self._show(f"{event}; the whole story is in {self._log.output.name}")
        self._is_over = True

    def _show(self, line: str) -> None:
        print(line, file=self.output, flush=True)
