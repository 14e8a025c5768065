"""Periods by the names that people give them, and periods to compare with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.periods import SHORTCUTS, Period, Shortcut, months_before

THURSDAY = date(2026, 3, 5)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-03-05", "2026-03-05"),
        ("yesterday", "2026-03-04", "2026-03-04"),
        ("week", "2026-03-02", "2026-03-05"),
        ("last_week", "2026-02-23", "2026-03-01"),
        ("month", "2026-03-01", "2026-03-05"),
        ("last_month", "2026-02-01", "2026-02-28"),
        ("last_7_days", "2026-02-27", "2026-03-05"),
        ("last_28_days", "2026-02-06", "2026-03-05"),
        ("thisweek", "2026-03-02", "2026-03-05"),
        ("thismonth", "2026-03-01", "2026-03-05"),
    ],
)
def test_a_name_means_these_days(name: Shortcut, first: str, last: str) -> None:
    assert SHORTCUTS[name](THURSDAY) == Period(date.fromisoformat(first), date.fromisoformat(last))


def test_every_name_has_its_days() -> None:
    assert set(SHORTCUTS) == set(get_args(Shortcut))


@given(DAYS)
def test_weeks_begin_on_monday_and_follow_one_another(today: date) -> None:
    week, last = SHORTCUTS["week"](today), SHORTCUTS["last_week"](today)
    assert week.first.weekday() == last.first.weekday() == 0
    assert last.days == 7
    assert last.last + timedelta(days=1) == week.first


@given(DAYS)
def test_months_follow_one_another(today: date) -> None:
    month, last = SHORTCUTS["month"](today), SHORTCUTS["last_month"](today)
    assert month.first.day == last.first.day == 1
    assert last.last + timedelta(days=1) == month.first


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", 12, "2025-12-31"),
    ],
)
def test_the_same_day_of_an_earlier_month(day: str, months: int, earlier: str) -> None:
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(earlier)
