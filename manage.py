#!/usr/bin/env python
"""Commands. Settings that are missing or wrong are named in a sentence, and nothing starts.

The demo writes its own settings first, and never uses those of a real shop. Ctrl-C and SIGTERM leave every block of a
command in order, and end it with a word.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM, told the way Python tells of Ctrl-C."""


def terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> int:
    signal.signal(signal.SIGTERM, terminate)
    try:
        return run()
    except KeyboardInterrupt as asked:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stderr.write("\nStopped.\n")
        return 128 + (signal.SIGTERM if isinstance(asked, Terminated) else signal.SIGINT)


def run() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.env import EnvError, forget_process_variables, load

    if sys.argv[1:2] == ["demo"]:
        from config.new_env import demo_env

        forget_process_variables()
        os.environ["VITRINA_ENV"] = str(demo_env())
    try:
        load()
    except EnvError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
