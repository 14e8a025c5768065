"""The rows of the schedule that an admin edits: one for each job and shop, one for each tick. Beat only fires them.

Seeding again does no harm: an hour that was moved stays moved, a row that was switched off stays off. A row follows its
shop's zone, rests while the shop is not active, and goes with the shop.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from celery.schedules import crontab
from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from apps.common.db import take_lock
from apps.jobs import due
from apps.jobs.timetable import Job, Queue, find_job, ticks, timetable
from apps.shops.models import Shop

log = logging.getLogger(__name__)

FIRE = "jobs.fire"
FIRE_EXPIRES = timedelta(minutes=10)  # the catch-up has claimed the slot long before
RESTING = {"rests_with_shop": True}  # in a row's headers: switched off by us, not by a person


@dataclass(frozen=True)
class Entry:
    """One row of the schedule as an admin left it. Without `cron` (it was given an interval) beat alone knows when."""

    job: Job
    shop: Shop | None
    cron: crontab | None
    zone: ZoneInfo

    def last_due(self, now: datetime) -> datetime | None:
        return due.last_due(self.cron, self.zone, now) if self.cron else None

    def due_between(self, after: datetime, until: datetime) -> list[datetime]:
        return due.due_between(self.cron, self.zone, after, until) if self.cron else []


def row_name(job: Job, shop: Shop | None) -> str:
    return f"{job.name} #{shop.pk}" if shop else job.name


def zone_of(shop: Shop | None) -> ZoneInfo:
    return ZoneInfo(shop.timezone if shop else settings.TIME_ZONE)


def entries() -> list[Entry]:
    """The rows that are switched on, of jobs that exist and shops that are active, in the order of the day."""
    rows = {row.name: row for row in PeriodicTask.objects.filter(task=FIRE, enabled=True).select_related("crontab")}
    places = {row_name(job, shop): (job, shop) for job, shop in _places()}
    return [_entry(rows[name], *place) for name, place in places.items() if name in rows]


def entry_of(job_name: str, shop_id: int | None) -> Entry | None:
    """The row of this job and shop, when it is switched on and the shop is active."""
    job = find_job(job_name)
    shop = Shop.objects.filter(pk=shop_id).first() if shop_id else None
    if job is None or not (job.is_for(shop) if shop else not job.per_shop):
        return None
    row = PeriodicTask.objects.filter(name=row_name(job, shop), enabled=True).select_related("crontab").first()
    return _entry(row, job, shop) if row else None


def next_due(job_name: str, shop: Shop, after: datetime) -> datetime | None:
    """When the clock will start this job for the shop next; None when it will not within a month."""
    entry = entry_of(job_name, shop.pk)
    return due.next_due(entry.cron, entry.zone, after) if entry and entry.cron else None


def seed() -> None:
    """Every row that should be there: part of each release."""
    for shop in Shop.objects.all():
        seed_schedule(shop)
    with transaction.atomic():
        take_lock("schedule", None)
        _add([(job, None) for job in timetable() if not job.per_shop])
        _add_ticks()
        _drop_strangers()


@transaction.atomic
def seed_schedule(shop: Shop) -> None:
    """The rows of one shop: missing ones come, all follow its zone, those it must not have rest."""
    take_lock("schedule", shop.pk)
    wanted = {row_name(job, shop) for job in timetable() if job.is_for(shop)}
    named = {row_name(job, shop) for job in timetable() if job.per_shop}
    for row in PeriodicTask.objects.filter(name__in=named).select_related("crontab"):
        _follow(row, shop, is_wanted=row.name in wanted)
    _add([(job, shop) for job in timetable() if job.is_for(shop)])


def drop_schedule(shop: Shop) -> None:
    """The rows of a shop that is deleted."""
    for row in PeriodicTask.objects.filter(name__in=[row_name(job, shop) for job in timetable()]):
        _remove(row)


def _places() -> Iterator[tuple[Job, Shop | None]]:
    shops = list(Shop.objects.filter(is_active=True).select_related("seller").order_by("pk"))
    for job in timetable():
        if job.per_shop:
            yield from ((job, shop) for shop in shops if job.is_for(shop))
        else:
            yield job, None


def _entry(row: PeriodicTask, job: Job, shop: Shop | None) -> Entry:
    return Entry(job, shop, _cron(row), zone_of(shop))


def _cron(row: PeriodicTask) -> crontab | None:
    try:
        return row.crontab.schedule if row.crontab else None
    except ValueError as error:  # one row that makes no sense must not stop the others
        log.warning("the time of %s cannot be read: %s", row.name, error)
        return None


def _add(places: list[tuple[Job, Shop | None]]) -> None:
    """Rows that are not there yet. Each has a time of its own, so that moving one moves no other shop's."""
    rows = PeriodicTask.objects.filter(name__in=[row_name(*place) for place in places])
    there = set(rows.values_list("name", flat=True))
    missing = [place for place in places if row_name(*place) not in there]
    if not missing:
        return
    crontabs = CrontabSchedule.objects.bulk_create(
        CrontabSchedule(minute=str(job.at.minute), hour="*" if job.hourly else str(job.at.hour), timezone=zone_of(shop))
        for job, shop in missing
    )
    PeriodicTask.objects.bulk_create(
        PeriodicTask(
            name=row_name(job, shop),
            task=FIRE,
            kwargs=json.dumps({"job": job.name, "shop_id": shop.pk if shop else None}),
            crontab=crontab,
            expire_seconds=int(FIRE_EXPIRES.total_seconds()),
        )
        for (job, shop), crontab in zip(missing, crontabs, strict=True)
    )
    PeriodicTasks.update_changed()


def _follow(row: PeriodicTask, shop: Shop, *, is_wanted: bool) -> None:
    headers = json.loads(row.headers or "{}")
    rests = RESTING.items() <= headers.items()
    if row.crontab and row.crontab.timezone != zone_of(shop):
        _move(row, zone_of(shop))
    if row.enabled and not is_wanted:
        row.enabled, row.headers = False, json.dumps(headers | RESTING)
    elif rests and is_wanted:
        row.enabled = True
        row.headers = json.dumps({name: value for name, value in headers.items() if name not in RESTING})
    else:
        return
    row.save()


def _move(row: PeriodicTask, zone: ZoneInfo) -> None:
    """Give the row a time of its own in `zone`: its old one may serve others by now."""
    old = row.crontab
    fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    row.crontab = CrontabSchedule.objects.create(timezone=zone, **{name: getattr(old, name) for name in fields})
    row.save()
    _forget_time(old.pk)


def _add_ticks() -> None:
    for tick in ticks():
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=int(tick.every.total_seconds()), period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.get_or_create(
            name=tick.task,
            defaults={
                "task": tick.task,
                "interval": interval,
                "queue": Queue.FAST,  # whatever the family of the task: a tick must not wait behind work
                "expire_seconds": interval.every,  # the next one is as good
            },
        )


def _drop_strangers() -> None:
    """Rows of jobs that this release no longer knows."""
    jobs = {job.name for job in timetable()}
    for row in PeriodicTask.objects.filter(task=FIRE):
        if json.loads(row.kwargs)["job"] not in jobs:
            _remove(row)


def _remove(row: PeriodicTask) -> None:
    row.delete()
    _forget_time(row.crontab_id)


def _forget_time(crontab_id: int | None) -> None:
    CrontabSchedule.objects.filter(pk=crontab_id, periodictask=None).delete()
