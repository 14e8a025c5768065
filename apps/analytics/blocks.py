"""Blocks of days: a period is covered by the fewest of them, so that a year is read from a few rows, to the day.

A block is a day, a third of a month (from the 1st, 11th, 21st), a month or a year. Its number is its level and its
first day: 20260131 is a day, 220260101 the month of January.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from apps.common.periods import Period

LEVEL = 100_000_000
MONTHS = 2 * LEVEL  # numbers above are those of months and years
ONE_DAY = timedelta(days=1)

Range = tuple[int, int]


def number(day: date, level: int = 0) -> int:
    return level * LEVEL + day.year * 10_000 + day.month * 100 + day.day


def day_of_block(block: int) -> date:
    """The first day of a block."""
    rest = block % LEVEL
    return date(rest // 10_000, rest // 100 % 100, rest % 100)


def cover(period: Period) -> list[Range]:
    """The fewest blocks that hold exactly the days of the period: the first and the last number of those of one level
    that follow each other."""
    ranges: list[Range] = []
    day = period.first
    while day <= period.last:
        level, last = next((level, last) for level, last in _blocks_from(day) if last <= period.last)
        block = number(day, level)
        if ranges and ranges[-1][0] // LEVEL == level:
            ranges[-1] = (ranges[-1][0], block)
        else:
            ranges.append((block, block))
        day = last + ONE_DAY
    return ranges


def _blocks_from(day: date) -> list[tuple[int, date]]:
    """Level and last day of every block that starts on this day, the largest first."""
    month_end = day.replace(day=monthrange(day.year, day.month)[1])
    starting = [
        (3, day.replace(month=12, day=31), day.day == day.month == 1),
        (2, month_end, day.day == 1),
        (1, day + 9 * ONE_DAY if day.day < 21 else month_end, day.day in (1, 11, 21)),
        (0, day, True),
    ]
    return [(level, last) for level, last, starts in starting if starts]
