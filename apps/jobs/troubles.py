"""Why a run waits, failed or was left out: kept as a code with its figures, told in the language of whoever reads.

What comes from outside (a marketplace, an error that nobody foresaw) is kept as a `message`, in its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.common import formats
from apps.jobs.timetable import find_job

Trouble: TypeAlias = Mapping[str, Any]
"""{"code": one of WORDS, "figures": {...}}, {"message": text}, or nothing at all."""

LONGEST_MESSAGE = 2000
WORDS: dict[str, str | Promise] = {
    "too_late": _("Nobody was there to run it in time, and it is too late for it now."),
    "made_up_for": _("A later one makes up for it."),
    "worker_died": _("Its worker died %(count)s times without getting further."),
    "no_such_job": _("There is no such job any more."),
    "clock_ahead": _("The clock was ahead when this run was started."),
    "key_refused": _("The marketplace refuses the shop's key: %(message)s"),
    "not_completed": _("“%(job)s” of %(day)s has not been completed."),
}


def trouble(code: str, **figures: str | int) -> Trouble:
    return {"code": code, "figures": figures}


def told(message: str) -> Trouble:
    return {"message": message[:LONGEST_MESSAGE]}


def say(kept: Trouble) -> str:
    """In words, in the active language; "" for none."""
    if "code" not in kept:
        return str(kept.get("message", ""))
    return str(WORDS[kept["code"]] % {name: _written(name, figure) for name, figure in kept["figures"].items()})


def _written(name: str, figure: Any) -> str:
    if name == "day":
        return formats.day(date.fromisoformat(figure))
    job = find_job(figure) if name == "job" else None
    return str(job.title if job else figure)
