"""A small timetable for tests: one job of each policy, one that needs another, one for the whole installation."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django_celery_beat.models import PeriodicTask

from apps.jobs.schedule import row_name
from apps.jobs.timetable import Job, Policy, Queue, Tick
from apps.shops.models import Shop

OZON = ("ozon",)

SYNC = Job("sync", "sync", time(6), Queue.SYNC, Policy.LATEST, "early", OZON, reach=60, calls_with="ozon_seller")
REPORT = Job("report", "report", time(9), Queue.ANALYTICS, Policy.SKIP, "morning", OZON, timedelta(hours=3), reach=31)
PRICES = Job(
    "prices", "prices", time(9, 30), Queue.ANALYTICS, Policy.SKIP, "later", OZON, timedelta(hours=8), needs="sync"
)
BACKFILL = Job("backfill", "backfill", time(20), Queue.SYNC, Policy.ALL, "at night", OZON, timedelta(days=3))
CLEANING = Job("cleaning", "cleaning", time(4), Queue.FAST, Policy.LATEST, "nobody is there")

TIMETABLE = (SYNC, REPORT, PRICES, BACKFILL, CLEANING)
TICKS = (Tick("jobs.catch_up", "what is due", timedelta(minutes=1), "often"),)


def utc(text: str) -> datetime:
    """`utc("2026-03-02 06:00")`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def move(job: Job, shop: Shop, *, hour: str, minute: str = "0") -> None:
    """What an admin does to a row of the schedule."""
    row = PeriodicTask.objects.get(name=row_name(job, shop))
    row.crontab.hour, row.crontab.minute = hour, minute
    row.crontab.save()


def leave_only(*jobs: Job) -> None:
    """Switch every other row off."""
    for row in PeriodicTask.objects.filter(task="jobs.fire"):
        if not any(row.name.startswith(job.name) for job in jobs):
            row.enabled = False
            row.save()
