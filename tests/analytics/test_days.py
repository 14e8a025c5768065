"""What the questions are made of: blocks of days, sums of days and months in memory, and distinct buyers."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from apps.analytics.blocks import LEVEL, Range, cover, number
from apps.analytics.days import Days, money
from apps.analytics.days import number as number_of_day
from apps.analytics.months import Months, Totals
from apps.analytics.visits import Visits
from apps.common.periods import Period

FIRST = date(2023, 11, 5)
ONE_DAY = timedelta(days=1)


def days_of(ranges: list[Range]) -> list[date]:
    """The days of every block that lies in these ranges, of all that begin in the years around."""
    every = Period(date(2022, 1, 1), date(2026, 12, 31))
    found = []
    for level, starts in (
        (0, lambda day: True),
        (1, lambda day: day.day in (1, 11, 21)),
        (2, lambda day: day.day == 1),
        (3, lambda day: (day.month, day.day) == (1, 1)),
    ):
        block = 0
        for day in every:
            block = number(day, level) if starts(day) else block
            if any(first <= block <= last for first, last in ranges):
                found.append(day)
    return sorted(found)


def test_a_period_is_covered_by_blocks_that_hold_each_of_its_days_once() -> None:
    random = Random(5)
    for _ in range(40):
        first = date(2022, 6, 1) + timedelta(days=random.randrange(900))
        period = Period(first, first + timedelta(days=random.randrange(700)))
        assert days_of(cover(period)) == list(period), period


def test_whole_years_and_months_are_few_blocks() -> None:
    assert cover(Period(date(2024, 1, 1), date(2024, 12, 31))) == [(3 * LEVEL + 20240101,) * 2]
    assert cover(Period(date(2024, 3, 1), date(2024, 5, 31))) == [(2 * LEVEL + 20240301, 2 * LEVEL + 20240501)]
    assert cover(Period(date(2024, 2, 20), date(2024, 3, 10))) == [
        (20240220, 20240220),
        (LEVEL + 20240221, LEVEL + 20240301),
    ]


@pytest.fixture
def sums() -> Days:
    """Two sources; 7 and -2 are two rows of one day and cell, as a refresh leaves them."""
    day = number_of_day(FIRST)
    columns = {
        "source": np.array([1, 2, 1, 1]),
        "type": np.array(["retail", "retail", "retail", "retail"], object),
        "day": np.array([day, day + 2, day + 2, day + 2]),
        "orders": np.array([3, 4, 7, -2]),
        "revenue": np.array([10, 20, 10**17, -5]),
    }
    return Days.of(columns, ("source", "type"))


def test_sums_of_a_period_are_those_of_its_days(sums: Days) -> None:
    period = Period(FIRST, FIRST + timedelta(days=2))
    assert sums.cells == [(1, "retail"), (2, "retail")]
    assert sums.each(period, [0]) == [[3, 10], [0, 0], [5, 10**17 - 5]]
    assert sums.total(period, [0, 1]) == [12, 10**17 + 25]
    assert sums.total(Period(FIRST, FIRST), [0, 1]) == [3, 10]


def test_days_before_the_first_and_after_the_last_have_nothing(sums: Days) -> None:
    around = Period(FIRST - timedelta(days=400), FIRST + timedelta(days=400))
    assert sums.total(around, [0, 1]) == [12, 10**17 + 25]
    assert len(sums.each(around, [0])) == around.days
    for period in (Period(date(2019, 1, 1), date(2019, 2, 1)), Period(date(2031, 1, 1), date(2031, 2, 1))):
        assert sums.total(period, [0, 1]) == [0, 0]


def test_nothing_chosen_or_nothing_there_comes_to_nothing(sums: Days) -> None:
    period = Period(FIRST, FIRST + timedelta(days=1))
    assert sums.each(period, []) == [[0, 0], [0, 0]]
    columns = {name: np.array([], np.int64) for name in ("source", "day", "orders")}
    nothing = Days.of(columns, ("source",))
    assert nothing.total(period, []) == [0]


def test_money_is_exact() -> None:
    assert money(10**17 + 1) == Decimal("1000000000000.00001")
    assert str(money(0)) == "0"


def visits_of(bought: dict[int, list[date]], first: dict[int, date]) -> Visits:
    """From the days on which each buyer bought, in order, and their first days, which may lie before."""
    rows: Counter[tuple[int, int, bool, bool]] = Counter()
    for buyer, days in bought.items():
        for before, day in zip([None, *days], days, strict=False):
            number_before = -1 if before is None else number_of_day(before)
            rows[number_of_day(day), number_before, day == first[buyer], before == first[buyer]] += 1
    names = ("day", "before", "is_first", "is_second")
    columns = dict(zip(names, map(np.array, zip(*sorted(rows), strict=True)), strict=True))
    return Visits.of(columns | {"buyers": np.array([rows[key] for key in sorted(rows)])})


def test_distinct_buyers_of_any_period_are_those_that_are_counted_one_by_one() -> None:
    """Whole months and parts of them, with a leap day: of 400 periods some two dozen begin or end with a month."""
    random = Random(11)
    bought = {
        buyer: sorted({FIRST + timedelta(days=random.randrange(125)) for _ in range(random.randrange(1, 9))})
        for buyer in range(80)
    }
    first = {buyer: random.choice([days[0], days[0], FIRST - ONE_DAY]) for buyer, days in bought.items()}
    visits = visits_of(bought, first)
    for _ in range(400):
        start = FIRST + timedelta(days=random.randrange(-5, 129))
        period = Period(start, start + timedelta(days=random.randrange(110)))
        inside = {buyer: [day for day in days if day in period] for buyer, days in bought.items()}
        expected = (
            sum(1 for days in inside.values() if days),
            sum(1 for buyer, days in inside.items() if first[buyer] in days),
            sum(1 for buyer, days in inside.items() if any(day > first[buyer] for day in days)),
        )
        assert visits.distinct(period) == expected, period


def test_where_nobody_bought_there_are_no_buyers() -> None:
    columns = {name: np.array([], np.int64) for name in ("day", "before", "buyers")}
    nobody = {name: np.array([], np.bool_) for name in ("is_first", "is_second")}
    assert Visits.of(columns | nobody).distinct(Period(FIRST, FIRST)) == (0, 0, 0)


def totals_of(measures: dict[int, tuple[int, int, int]]) -> Totals:
    return Totals(*(np.array(column) for column in zip(*((key, *each) for key, each in measures.items()), strict=True)))


def test_months_and_the_days_beside_them_add_up_by_key() -> None:
    """Key 7 has two rows of one month, as a refresh leaves them, and 9 nothing in the months that are asked about."""
    january, february, march = (2 * LEVEL + 20240001 + month * 100 for month in (1, 2, 3))
    months = Months.of(
        {
            "block": np.array([march, january, january, february, february]),
            "key": np.array([9, 7, 7, 7, 4]),
            "count": np.array([1, 3, -1, 5, 2]),
            "quantity": np.array([1000, 3000, -1000, 5500, 2000]),
            "revenue": np.array([10, 10**17, -1, 20, 30]),
        }
    )
    days = {
        "key": np.array([4, 4]),
        "count": np.array([1, 1]),
        "quantity": np.array([500, 500]),
        "revenue": np.array([1, 2]),
    }
    assert list(months.totals([(january, february)], None).counted()) == [(4, 2, 2000, 30), (7, 7, 7500, 10**17 + 19)]
    assert list(months.totals([(march, march)], days)) == [(4, 2, 1000, 3), (7, 0, 0, 0), (9, 1, 1000, 10)]
    assert list(months.totals([], None).counted()) == []


def test_the_best_are_the_first_of_all_in_their_order() -> None:
    random = Random(3)
    for _ in range(60):
        found = totals_of(
            {key: (1, random.randrange(6), -key) for key in random.sample(range(100), random.randrange(1, 30))}
        )
        limit = random.randrange(1, 35)
        expected = sorted(found, key=lambda row: (-row[2], row[0]))[:limit]
        assert list(found.best(found.quantity, limit)) == expected, limit
