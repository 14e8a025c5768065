"""The queue of the fault tests: the project's own, with crash points and a few jobs that leave a visible trace."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django
from celery.signals import worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
settings.TIMETABLE = "tests.faults.timetable"

from config.celery import RELIABILITY, app  # noqa: E402 - Django comes first
from tasks.runners import RUNNERS  # noqa: E402
from tests.faults import timetable  # noqa: E402

__all__ = ["app"]

RUNNERS.update(timetable.RUNNERS)

if seconds := os.environ.get("VISIBILITY_SECONDS"):
    # How long the broker waits for a message to be done with before it delivers it once more; an hour in a real shop.
    waits = {"visibility_timeout": float(seconds), "unacked_restore_interval": 1}
    app.conf.broker_transport_options = RELIABILITY["broker_transport_options"] | waits

OURS = ("apps.", "tasks.", "bots.", "tests.")


@worker_process_init.connect
def _set_crash_points(**_: Any) -> None:
    for moment in ("CRASH_BEFORE", "CRASH_AFTER"):
        if path := os.environ.get(moment):
            _wrap(path, dies_before=moment == "CRASH_BEFORE", at_call=int(os.environ.get("CRASH_AT", "1")))


def _wrap(path: str, *, dies_before: bool, at_call: int) -> None:
    """Replace a function wherever it was imported to; `package.module.name` or `package.module.Class.name`."""
    home, name = _find(path)
    original: Callable[..., Any] = getattr(home, name)
    calls = 0

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if dies_before and calls == at_call:
            die()
        answer = original(*args, **kwargs)
        if not dies_before and calls == at_call:
            die()
        return answer

    setattr(home, name, wrapped)
    for module in [module for key, module in sys.modules.items() if key.startswith(OURS)]:
        for attribute, value in list(vars(module).items()):
            if value is original:
                setattr(module, attribute, wrapped)


def _find(path: str) -> tuple[Any, str]:
    parent, _, name = path.rpartition(".")
    try:
        return import_module(parent), name
    except ModuleNotFoundError:
        module, _, class_name = parent.rpartition(".")
        return getattr(import_module(module), class_name), name


def die() -> None:
    """What a power cut does to this worker."""
    if os.environ.get("CRASH_WHOM") == "child":
        os.kill(os.getpid(), signal.SIGKILL)
    os.killpg(os.getpgid(0), signal.SIGKILL)
