#!/usr/bin/env python
"""Commands. Settings that are missing or wrong are named in a sentence, and nothing starts.

The demo writes its own settings first, and never uses those of a real shop. Ctrl-C and SIGTERM leave every block of a
command in order, and end it with a word.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from traceback import walk_stack
from types import FrameType

SOON = 0.01  # seconds


class Terminated(KeyboardInterrupt):
    """SIGTERM, told the way Python tells of Ctrl-C."""


def main() -> int:
    signal.signal(signal.SIGTERM, partial(interrupt, Terminated))
    sys.unraisablehook = ask_again
    try:
        return run()
    except KeyboardInterrupt as asked:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stderr.write("\nStopped.\n")
        return 128 + (signal.SIGTERM if isinstance(asked, Terminated) else signal.SIGINT)


def interrupt(how: type[KeyboardInterrupt], number: int, frame: FrameType | None) -> None:
    raise how


def ask_again(lost: sys.UnraisableHookArgs) -> None:
    """The callback of a weak reference loses what is raised in it: the interrupt comes once more, right after it."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        signal.signal(signal.SIGALRM, partial(interrupt_outside, type(lost.exc_value)))
        signal.setitimer(signal.ITIMER_REAL, SOON, SOON)
    else:
        sys.__unraisablehook__(lost)


def interrupt_outside(how: type[KeyboardInterrupt], number: int, frame: FrameType | None) -> None:
    """Not before `ask_again` has returned, for it would lose this one too, and on a busy machine it may take long."""
    if all(one.f_code is not ask_again.__code__ for one, _line in walk_stack(frame)):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise how


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
