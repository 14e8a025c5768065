"""Days and periods in a shop's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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
