"""A chart of days as plain geometry, for a template to draw as SVG. Pure.

Coordinates are text, as SVG writes them, so that no language turns their points into commas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from apps.common import formats

LEFT, RIGHT, TOP, BOTTOM = 34, 10, 26, 24
LABEL_WIDTH = 72
"""What the longest name of a day takes."""
STEPS_OF_DAYS = (1, 2, 7, 14, 28)
MOST_LINES = 5
BAR = 0.7
"""How much of its day's strip a bar fills."""


@dataclass(frozen=True)
class Figures:
    """Units observed, and those expected with their range."""

    observed: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One day; its figures are None while they are not known yet. `label` says them in words.

    is_silent: the day does not count; is_measured: it belongs to the experiment, not to the time before.
    """

    day: date
    figures: Figures | None
    label: str = ""
    is_silent: bool = False
    is_measured: bool = True


@dataclass(frozen=True)
class Tick:
    at: str
    label: str


@dataclass(frozen=True)
class Strip:
    """The strip of one day that is known, with the bar of what was observed."""

    point: Point
    left: str
    middle: str
    bar_left: str
    bar_top: str
    bar_height: str


@dataclass(frozen=True)
class Chart:
    """At least one point, oldest first. Everything lies between (0, 0) and (width, height).

    is_sum: the figures of a day hold all that came before, so that lines lead from day to day. Otherwise each day
    stands for itself, as a bar in a range of its own.
    """

    points: Sequence[Point]
    width: int
    height: int
    is_sum: bool = False

    @property
    def strips(self) -> list[Strip]:
        return [self._strip(place, one, one.figures) for place, one in enumerate(self.points) if one.figures]

    @property
    def lines(self) -> list[Tick]:
        """The horizontal lines, from zero up."""
        values = range(0, self._most + 1, self._step)
        return [Tick(_text(self._y(value)), formats.whole(value)) for value in values]

    @property
    def days(self) -> list[Tick]:
        """The days that are named: the first measured one, and as many others as there is room for."""
        room = max(int((self.width - LEFT - RIGHT) / LABEL_WIDTH), 1)
        step = next((step for step in STEPS_OF_DAYS if len(self.points) <= step * room), STEPS_OF_DAYS[-1])
        places = range(self._first_measured % step, len(self.points), step)
        return [Tick(_text(self._middle(place)), formats.short_day(self.points[place].day)) for place in places]

    @property
    def observed(self) -> str:
        return _path(self._along(lambda figures: figures.observed))

    @property
    def expected(self) -> str:
        return _path(self._along(lambda figures: figures.expected))

    @property
    def band(self) -> str:
        """The range of what was expected, there along its upper end and back along the lower one."""
        upper, lower = self._edge(lambda figures: figures.high), self._edge(lambda figures: figures.low)
        return f"{_path([*upper, *reversed(lower)])}Z"

    @property
    def start(self) -> str:
        """Where the measured days begin."""
        return _text(LEFT + self._strip_width * self._first_measured)

    @property
    def floor(self) -> str:
        return _text(self._y(0))

    @property
    def strip_width(self) -> str:
        return _text(self._strip_width)

    @property
    def bar_width(self) -> str:
        return _text(self._strip_width * BAR)

    @property
    def plot(self) -> dict[str, str]:
        """The rectangle in which the days lie."""
        height = self.height - TOP - BOTTOM
        return {"left": str(LEFT), "right": str(self.width - RIGHT), "top": str(TOP), "height": str(height)}

    @cached_property
    def _known(self) -> list[tuple[int, Figures]]:
        return [(place, one.figures) for place, one in enumerate(self.points) if one.figures]

    @cached_property
    def _first_measured(self) -> int:
        return next((place for place, one in enumerate(self.points) if one.is_measured), 0)

    @cached_property
    def _highest(self) -> float:
        return max((max(figures.observed, figures.high) for _place, figures in self._known), default=0)

    @cached_property
    def _step(self) -> int:
        """From line to line: 1, 2 or 5 with zeros behind, so that there are not too many."""
        least = max(self._highest / MOST_LINES, 1)
        power: int = 10 ** int(math.log10(least))
        return next(step * power for step in (1, 2, 5, 10) if step * power >= least)

    @property
    def _most(self) -> int:
        return self._step * max(math.ceil(self._highest / self._step), 1)

    @property
    def _strip_width(self) -> float:
        return (self.width - LEFT - RIGHT) / len(self.points)

    def _middle(self, place: int) -> float:
        return LEFT + self._strip_width * (place + 0.5)

    def _y(self, units: float) -> float:
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * units / self._most

    def _along(self, value: Callable[[Figures], float]) -> list[tuple[float, float]]:
        return [(self._middle(place), self._y(value(figures))) for place, figures in self._known]

    def _edge(self, value: Callable[[Figures], float]) -> list[tuple[float, float]]:
        """One edge of the band: from day to day, or level across each day's strip."""
        if self.is_sum:
            return self._along(value)
        half = self._strip_width / 2
        return [(end, y) for x, y in self._along(value) for end in (x - half, x + half)]

    def _strip(self, place: int, point: Point, figures: Figures) -> Strip:
        middle, top = self._middle(place), self._y(figures.observed)
        return Strip(
            point=point,
            left=_text(middle - self._strip_width / 2),
            middle=_text(middle),
            bar_left=_text(middle - self._strip_width * BAR / 2),
            bar_top=_text(top),
            bar_height=_text(self._y(0) - top),
        )


def _path(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_text(x)} {_text(y)}" for x, y in corners)


def _text(value: float) -> str:
    return f"{value:.1f}"
