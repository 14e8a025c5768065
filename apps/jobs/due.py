"""When a schedule was due and is due next: cron fields and a zone in, moments out. Knows no database.

A wall time that does not exist (the night the clocks go forward) is due at the moment it would have been by the old
offset, as the scheduler does it; one that comes twice (the night they go back) is due twice, and the day's slot makes
that one run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

LONGEST_MONTH = 31

Cron: TypeAlias = Any
"""A `celery.schedules.crontab`: sets of numbers in `minute`, `hour`, `day_of_week` (Sunday is 0), `day_of_month` and
`month_of_year`, which the published types leave out."""


def last_due(cron: Cron, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest due moment that is not after `now`, looking back a month."""
    for day in _days(now, zone, step=-1):
        if moments := [moment for moment in _moments(cron, zone, day) if moment <= now]:
            return max(moments)
    return None


def next_due(cron: Cron, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The first due moment after `now`, looking ahead a month."""
    for day in _days(now, zone, step=1):
        if moments := [moment for moment in _moments(cron, zone, day) if moment > now]:
            return min(moments)
    return None


def due_between(cron: Cron, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Every due moment in `after < moment <= until`, in order."""
    first, last = after.astimezone(zone).date(), until.astimezone(zone).date()
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return sorted({moment for day in days for moment in _moments(cron, zone, day) if after < moment <= until})


def is_daily(cron: Cron) -> bool:
    """Whether it is due at most once a day."""
    return len(cron.hour) * len(cron.minute) == 1


def _days(now: datetime, zone: ZoneInfo, *, step: int) -> Iterator[date]:
    today = now.astimezone(zone).date()
    return (today + timedelta(days=step * offset) for offset in range(LONGEST_MONTH + 1))


def _moments(cron: Cron, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    if day.day not in cron.day_of_month or day.month not in cron.month_of_year:
        return
    if day.isoweekday() % 7 not in cron.day_of_week:
        return
    for hour in cron.hour:
        for minute in cron.minute:
            wall = datetime.combine(day, time(hour, minute), zone)
            first = wall.astimezone(UTC)
            yield first
            second = wall.replace(fold=1).astimezone(UTC)
            if second > first:  # it comes twice; in the other night's gap it is the other way round
                yield second
