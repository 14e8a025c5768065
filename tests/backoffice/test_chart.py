"""The geometry of a chart: everything in its place, inside its frame, in a form that SVG reads in every language."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.utils import translation

from apps.backoffice.chart import BOTTOM, LEFT, RIGHT, TOP, Chart, Figures, Point

FIRST = date(2026, 3, 2)
WIDTH, HEIGHT = 400, 200


def chart(*observed: int | None, measured_from: int = 0, is_sum: bool = False) -> Chart:
    """Each day expects what was observed, give or take one; None is a day to come."""
    points = [
        Point(
            FIRST + timedelta(days=place),
            None if units is None else Figures(units, units, max(units - 1, 0), units + 1),
            is_measured=place >= measured_from,
        )
        for place, units in enumerate(observed)
    ]
    return Chart(points, WIDTH, HEIGHT, is_sum=is_sum)


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_a_bar_stands_on_zero_and_reaches_its_units() -> None:
    drawn = chart(0, 4, 9)
    floor, top_line = float(drawn.lines[0].at), float(drawn.lines[-1].at)
    assert (floor, top_line) == (HEIGHT - BOTTOM, TOP)
    assert [line.label for line in drawn.lines] == ["0", "2", "4", "6", "8", "10"]
    for strip, units in zip(drawn.strips, (0, 4, 9), strict=True):
        assert float(strip.bar_top) + float(strip.bar_height) == pytest.approx(floor)
        assert float(strip.bar_height) == pytest.approx(units / 10 * (floor - top_line), abs=0.1)


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0, ["0", "1"]),
        (2, ["0", "1", "2", "3"]),
        (27, ["0", "10", "20", "30"]),
        (999, ["0", "200", "400", "600", "800", "1,000"]),
    ],
)
def test_its_lines_are_round_and_few(highest: int, labels: list[str]) -> None:
    assert [line.label for line in chart(highest).lines] == labels


def test_days_to_come_have_room_and_no_figures() -> None:
    drawn = chart(1, 2, None, None)
    assert len(drawn.strips) == 2
    assert float(drawn.strips[-1].middle) < WIDTH / 2
    assert len(corners(drawn.observed)) == len(corners(drawn.expected)) == 2


def test_the_band_goes_there_and_back_around_what_was_expected() -> None:
    drawn = chart(2, 3, is_sum=True)
    (x_first, y_first), (x_last, y_last) = corners(drawn.expected)
    upper_first, upper_last, lower_last, lower_first = corners(drawn.band)
    assert [x for x, _ in (upper_first, upper_last, lower_last, lower_first)] == [x_first, x_last, x_last, x_first]
    assert upper_first[1] < y_first < lower_first[1]
    assert upper_last[1] < y_last < lower_last[1]
    assert drawn.band.endswith("Z")


def test_the_range_of_a_single_day_is_level_across_its_strip() -> None:
    drawn = chart(2, 3)
    upper = corners(drawn.band)[:4]
    assert upper[0][1] == upper[1][1] != upper[2][1] == upper[3][1]
    assert (upper[0][0], upper[-1][0]) == (LEFT, WIDTH - RIGHT)


def test_the_first_measured_day_is_named_and_marked() -> None:
    drawn = chart(*range(30), measured_from=16)
    assert "March 18" in [tick.label for tick in drawn.days]
    assert float(drawn.start) == pytest.approx(float(drawn.strips[16].left), abs=0.1)


@pytest.mark.parametrize("days", [1, 7, 24, 63, 84])
def test_the_names_of_days_do_not_run_into_each_other(days: int) -> None:
    places = [float(tick.at) for tick in chart(*[1] * days).days]
    assert places
    assert all(after - before > 60 for before, after in pairwise(places))


def test_no_language_turns_its_points_into_commas() -> None:
    with translation.override("ru"):
        drawn = chart(1, 2, 1200)
        assert [line.label for line in drawn.lines][-1] == "1\xa0500"
        numbers = [drawn.band, drawn.expected, drawn.observed, drawn.start, drawn.floor, drawn.bar_width]
        assert not any("," in number for number in numbers)
