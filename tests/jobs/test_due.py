"""When a row of the schedule was due and is due next, also in the nights when clocks change."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab

from apps.jobs.due import due_between, is_daily, last_due, next_due
from tests.jobs.day import utc

MOSCOW = ZoneInfo("Europe/Moscow")
KYIV = ZoneInfo("Europe/Kyiv")
SIX = crontab(hour="6", minute="0")
HALF_PAST_THREE = crontab(hour="3", minute="30")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-02 02:59:59", "2026-03-01 03:00"),
        ("2026-03-02 03:00", "2026-03-02 03:00"),
        ("2026-03-02 23:00", "2026-03-02 03:00"),
    ],
)
def test_six_in_moscow_is_three_in_utc(now: str, due: str) -> None:
    assert last_due(SIX, MOSCOW, utc(now)) == utc(due)


def test_the_next_moment_is_after_now_and_not_now() -> None:
    assert next_due(SIX, MOSCOW, utc("2026-03-02 02:59")) == utc("2026-03-02 03:00")
    assert next_due(SIX, MOSCOW, utc("2026-03-02 03:00")) == utc("2026-03-03 03:00")


def test_the_same_hour_is_another_moment_in_summer() -> None:
    assert last_due(SIX, KYIV, utc("2026-01-15 12:00")) == utc("2026-01-15 04:00")
    assert last_due(SIX, KYIV, utc("2026-07-15 12:00")) == utc("2026-07-15 03:00")


def test_weekdays_and_days_of_the_month_count() -> None:
    mondays = crontab(hour="6", minute="0", day_of_week="1")
    first_of_month = crontab(hour="6", minute="0", day_of_month="1")
    wednesday = utc("2026-03-04 12:00")
    assert last_due(mondays, MOSCOW, wednesday) == utc("2026-03-02 03:00")
    assert next_due(first_of_month, MOSCOW, wednesday) == utc("2026-04-01 03:00")
    assert last_due(crontab(hour="6", minute="0", day_of_month="7", month_of_year="8"), MOSCOW, wednesday) is None


def test_a_day_that_is_years_away_is_not_due_within_a_month() -> None:
    leap_day = crontab(hour="6", minute="0", day_of_month="29", month_of_year="2")
    assert last_due(leap_day, MOSCOW, utc("2026-03-04 12:00")) is None
    assert next_due(leap_day, MOSCOW, utc("2026-02-04 12:00")) is None


def test_a_stretch_has_every_moment_after_its_start_up_to_its_end() -> None:
    assert due_between(SIX, MOSCOW, utc("2026-03-01 03:00"), utc("2026-03-03 03:00")) == [
        utc("2026-03-02 03:00"),
        utc("2026-03-03 03:00"),
    ]


def test_daily_is_one_moment_a_day() -> None:
    assert is_daily(SIX)
    assert not is_daily(crontab(hour="*/4", minute="0"))


def test_an_hour_that_is_left_out_in_spring_is_due_once() -> None:
    night = (utc("2026-03-28 12:00"), utc("2026-03-29 12:00"))
    assert due_between(HALF_PAST_THREE, KYIV, *night) == [utc("2026-03-29 01:30")]


def test_an_hour_that_comes_twice_in_autumn_is_due_twice() -> None:
    night = (utc("2026-10-24 12:00"), utc("2026-10-25 12:00"))
    assert due_between(HALF_PAST_THREE, KYIV, *night) == [utc("2026-10-25 00:30"), utc("2026-10-25 01:30")]


def test_what_comes_every_quarter_of_an_hour_neither_stops_nor_doubles_at_night() -> None:
    quarters = crontab(hour="*", minute="*/15")
    for first, last in (("2026-03-28 22:00", "2026-03-29 04:00"), ("2026-10-24 22:00", "2026-10-25 04:00")):
        assert len(due_between(quarters, KYIV, utc(first), utc(last))) == 6 * 4


def test_moscow_keeps_one_time_all_year() -> None:
    for day in ("2026-03-29", "2026-10-25"):
        assert last_due(HALF_PAST_THREE, MOSCOW, utc(f"{day} 12:00")) == utc(f"{day} 00:30")
