"""`manage.py run_job daily_report --shop 3 --from 2026-03-01 --to 2026-03-07`: a job now, or for days that have passed.

The workers do it; this command asks for it, shows how far it is and ends with 0 when every run is done. Interrupted, it
leaves the runs going.
"""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.common.errors import UserError
from apps.jobs import by_hand
from apps.jobs.by_hand import Errand, WrongDay
from apps.jobs.models import JobRun
from apps.jobs.timetable import Job, find_job, timetable
from apps.shops.models import Shop

LOOK_SECONDS = 0.5
ENDED = (JobRun.State.DONE, JobRun.State.FAILED, JobRun.State.SKIPPED)


class Command(BaseCommand):
    help = "Run a job of the timetable now, or for days that have passed, and follow it to its end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", choices=[job.name for job in timetable() if job.per_shop])
        parser.add_argument(
            "--shop", type=int, metavar="ID", help="one shop (without it: every active shop of the job)"
        )
        parser.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="a day that has passed")
        parser.add_argument("--from", type=_day, metavar="YYYY-MM-DD", dest="first", help="the first of several days")
        parser.add_argument("--to", type=_day, metavar="YYYY-MM-DD", dest="last", help="the last of several days")
        parser.add_argument("--dry-run", action="store_true", help="show what would be run, and whether it could begin")

    def handle(self, *, job: str, shop: int | None, dry_run: bool, **options: Any) -> None:
        found = find_job(job)
        assert found is not None  # noqa: S101 - it is one of the choices
        first, last = _days(**{name: options[name] for name in ("day", "first", "last")})
        with _in_words(single=options["day"] is not None):
            errands = [
                Errand.of(job=job, shop=one, as_of=clock.now(), first=first, last=last) for one in _shops(found, shop)
            ]
            for errand in errands:
                by_hand.check(errand)
        for errand in errands:
            self._say(f"{'would run' if dry_run else 'run'}: {_about(errand)}")
        if not dry_run:
            self._run(errands)

    def _run(self, errands: list[Errand]) -> None:
        with _in_words(single=False):
            runs = [by_hand.start(errand, by=None) for errand in errands]
        failed = [run for run in map(self._follow, runs) if run.state != JobRun.State.DONE]
        if failed:
            raise CommandError("\n".join(f"{run.shop}: {run.get_state_display()}: {run.error}" for run in failed))

    def _follow(self, run: JobRun) -> JobRun:
        """Say each thing once, until it has ended."""
        said = ""
        while True:
            run.refresh_from_db()
            if (line := _state(run)) != said:
                self._say(line)
                said = line
            if run.state in ENDED:
                return run
            time.sleep(LOOK_SECONDS)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-03-01") from None


def _days(*, day: date | None, first: date | None, last: date | None) -> tuple[date | None, date | None]:
    if day and (first or last):
        raise CommandError("--day: it cannot stand beside --from and --to")
    if (first is None) != (last is None):
        raise CommandError(f"{'--from' if first is None else '--to'}: it is missing; --from and --to go together")
    return (day, day) if day else (first, last)


def _shops(job: Job, shop_id: int | None) -> list[Shop]:
    shops = [shop for shop in Shop.objects.select_related("seller").order_by("pk") if job.is_for(shop)]
    accepted = ", ".join(f"{shop.pk} ({shop})" for shop in shops) or "there is none"
    chosen = [shop for shop in shops if shop_id in (None, shop.pk)]
    if not chosen:
        raise CommandError(f"--shop: no active shop {shop_id or ''} for {job.name}; accepted: {accepted}")
    return chosen


@contextmanager
def _in_words(*, single: bool) -> Iterator[None]:
    """What forbids a run is the command's error; a day that is not accepted, by the name of its option."""
    try:
        yield
    except WrongDay as error:
        option = "--day" if single else {"first": "--from", "last": "--to"}[error.end]
        raise CommandError(f"{option}: {error}") from error
    except UserError as error:
        raise CommandError(str(error)) from error


def _about(errand: Errand) -> str:
    days = f"{errand.days.first} … {errand.days.last}" if errand.days else "now"
    return f"{errand.job.name}, shop {errand.shop.pk} ({errand.shop}), {days}, as of {errand.as_of:%Y-%m-%d %H:%M} UTC"


def _state(run: JobRun) -> str:
    """Shelf: running, fbo_postings 40 of 180"""
    progress = run.progress
    how_far = f", {progress['stage']} {progress['done']} of {progress['total']}" if progress.get("total") else ""
    if progress.get("seconds_left"):
        how_far += f", about {-(-progress['seconds_left'] // 60)} min left"
    waits = f": {run.error}" if run.error and run.state == JobRun.State.PLANNED else ""
    done = f", {run.result}" if run.state == JobRun.State.DONE else ""
    return f"{run.shop}: {run.get_state_display()}{how_far if run.state == JobRun.State.RUNNING else ''}{waits}{done}"
