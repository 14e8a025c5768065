"""Days and periods in a shop's time zone."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo


def day_of(moment: datetime, zone: str) -> date:
    """The calendar day of an aware `moment` in `zone`."""
    if moment.tzinfo is None:
        raise ValueError("moment must be aware")
    return moment.astimezone(ZoneInfo(zone)).date()


def start_of(day: date, zone: str) -> datetime:
    """The first moment of `day` in `zone`, as UTC."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def at_time(day: date, at: time, zone: str) -> datetime:
    """The moment when the clock on the wall in `zone` shows `at` on `day`, as UTC."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Period:
    """Whole days, both ends inclusive."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"a period starts before it ends: {self.first} > {self.last}")

    @classmethod
    def ending(cls, last: date, *, days: int) -> Period:
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """The same number of days right before."""
        return Period.ending(self.first - timedelta(days=1), days=self.days)

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range(self.days))

    def bounds(self, zone: str) -> tuple[datetime, datetime]:
        """First moment, and the first moment after, as UTC."""
        return start_of(self.first, zone), start_of(self.last + timedelta(days=1), zone)

    def months_before(self, months: int) -> Period:
        """Both ends so many months earlier; a day that the month has not is its last (31 March: 28 February)."""
        return Period(months_before(self.first, months), months_before(self.last, months))


def months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _week(today: date) -> Period:
    return Period(today - timedelta(days=today.weekday()), today)


def _last_week(today: date) -> Period:
    return Period.ending(_week(today).first - timedelta(days=1), days=7)


def _month(today: date) -> Period:
    return Period(today.replace(day=1), today)


def _last_month(today: date) -> Period:
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)


Shortcut = Literal[
    "today",
    "yesterday",
    "week",
    "last_week",
    "month",
    "last_month",
    "last_7_days",
    "last_28_days",
    "thisweek",
    "thismonth",
]
# What people call periods. A week begins on Monday; `last_week` and `last_month` are whole, the others end today.
SHORTCUTS: Mapping[Shortcut, Callable[[date], Period]] = {
    "today": lambda today: Period(today, today),
    "yesterday": lambda today: Period.ending(today - timedelta(days=1), days=1),
    "week": _week,
    "last_week": _last_week,
    "month": _month,
    "last_month": _last_month,
    "last_7_days": lambda today: Period.ending(today, days=7),
    "last_28_days": lambda today: Period.ending(today, days=28),
    "thisweek": _week,
    "thismonth": _month,
}
