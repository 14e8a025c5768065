from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from apps.common import formats

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture(autouse=True)
def russian() -> Iterator[None]:
    with translation.override("ru"):
        yield


def test_money_shows_hundredths_only_where_there_are_any() -> None:
    assert formats.money(Decimal("12900.00"), "RUB") == f"12{NBSP}900{NBSP}₽"
    assert formats.money(Decimal("990.5"), "RUB") == f"990,50{NBSP}₽"
    assert formats.money(Decimal("-7"), "UAH") == f"-7{NBSP}₴"
    assert formats.money(Decimal("489730") / 211, "RUB") == f"2{NBSP}321{NBSP}₽", "2320.995 is no more exact"


def test_a_gain_has_its_sign_and_no_needless_hundredths() -> None:
    assert formats.gain(Decimal("310.40"), "RUB") == f"+310{NBSP}₽"
    assert formats.gain(Decimal("-42.13"), "RUB") == f"-42,13{NBSP}₽"


@pytest.mark.parametrize(
    ("rate", "written"),
    [("0.124", "+12"), ("0.0995", "+10"), ("0.042", "+4,2"), ("-0.0421", "-4,2"), ("0.0004", "0"), ("-12.5", "-1 250")],
)
def test_a_change_is_exact_where_it_is_small(rate: str, written: str) -> None:
    assert formats.change(Decimal(rate)).replace(NBSP, " ") == f"{written} %"


def test_nothing_is_certain() -> None:
    assert formats.probability(0.99999) == f"99{NBSP}%"
    assert formats.probability(0.0) == f"1{NBSP}%"
    assert formats.probability(0.714) == f"71{NBSP}%"


def test_numbers_and_shares_follow_the_language() -> None:
    assert formats.number(7.1234) == "7,1"
    assert formats.percent(Decimal("0.7134")) == f"71,3{NBSP}%"
    with translation.override("en"):
        assert formats.number(1240) == "1,240"
        assert formats.percent(Decimal("0.7134")) == "71.3%"
        assert formats.whole(12.5) == "12"


def test_a_moment_is_told_on_the_wall_of_its_zone() -> None:
    late = datetime(2026, 5, 3, 21, 5, tzinfo=UTC)
    assert formats.moment(late, "Europe/Moscow") == "4 мая, 00:05"
    with translation.override("uk"):
        assert formats.moment(late, "Europe/Kyiv") == "4 травня, 00:05"
    with translation.override("en"):
        assert formats.moment(late, "UTC") == "May 3, 21:05"


def test_days_are_written_short_and_whole() -> None:
    on = date(2026, 5, 4)
    assert formats.weekday(on) == "понедельник, 4 мая"
    assert formats.short_day(on) == "4 мая"
    with translation.override("en"):
        assert formats.day(on) == "May 4, 2026"


def test_without_a_language_it_is_english() -> None:
    with translation.override(None):
        assert formats.weekday(date(2026, 5, 4)) == "Monday, May 4"


def test_days_name_what_they_share_once() -> None:
    assert formats.days(date(2026, 3, 1), date(2026, 3, 1)) == formats.day(date(2026, 3, 1))
    assert formats.days(date(2026, 3, 1), date(2026, 3, 20)).startswith("1–20 мар")


@pytest.mark.parametrize(
    ("time", "said"),
    [(timedelta(seconds=20), "1 мин"), (timedelta(minutes=47), "47 мин"), (timedelta(hours=5, minutes=10), "5 ч")],
)
def test_a_duration_is_told_in_its_largest_unit(time: timedelta, said: str) -> None:
    assert formats.duration(time).replace(NBSP, " ").startswith(said)
