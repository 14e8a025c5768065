"""How an experiment went, day by day, so far or to its end: the figures of the chart that people look at.

The expected units are those of the verdict on the same days (`look.py`, `counterfactual.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from apps.experiments.counterfactual import PRE_DAYS, Counterfactual
from apps.experiments.look import Look, Silence, Window
from apps.experiments.models import Experiment
from apps.experiments.verdicts import usual_range
from apps.sales.known import KnownDays


@dataclass(frozen=True)
class Sold:
    """Units observed beside those expected without the change; nine of ten times they lie from `low` to `high`."""

    observed: int
    expected: float
    low: int
    high: int


@dataclass(frozen=True)
class CourseDay:
    """One day. `so_far` sums up the measured days that count, up to this one; None in the baseline.

    `silence` says why the day does not count, and then its units are not compared with anything.
    """

    day: date
    sold: Sold
    so_far: Sold | None
    silence: Silence | None

    @property
    def is_measured(self) -> bool:
        return self.so_far is not None


@dataclass(frozen=True)
class Course:
    """The baseline's days and the measured ones that are known, of `length` planned ones; `sales` is what a verdict on
    them rests on."""

    days: tuple[CourseDay, ...]
    length: int
    sales: Counterfactual

    @property
    def measured(self) -> tuple[CourseDay, ...]:
        return tuple(day for day in self.days if day.is_measured)


def course_of(experiment: Experiment) -> Course | None:
    """None while no measured day is known, and of a product that is in the shop's data no more."""
    days = _known_days(experiment)
    if not days:
        return None
    look = Look.at(experiment.shop, Window(experiment.starts_on, days), [experiment])
    row = look.row_of(experiment)
    if row is None:
        return None
    return Course(tuple(_days(experiment, look, row)), experiment.days, look.seen.of(row))


def _known_days(experiment: Experiment) -> int:
    known = KnownDays.of(experiment.shop)
    return experiment.days_over(known.until) if known.until else 0


def _days(experiment: Experiment, look: Look, row: int) -> Iterator[CourseDay]:
    found = look.seen.days_of(row)
    total, expected_so_far = 0, 0.0
    for place, expected in enumerate(found.expected.tolist()):
        is_measured, counts, units = place >= PRE_DAYS, bool(found.valid[place]), int(found.units[place])
        if is_measured and counts:
            total, expected_so_far = total + units, expected_so_far + expected
        yield CourseDay(
            day=look.data.first + timedelta(days=place),
            sold=_sold(units, expected, found.shape),
            so_far=_sold(total, expected_so_far, found.shape) if is_measured else None,
            silence=None if counts else look.silence(experiment, row, place),
        )


def _sold(observed: int, expected: float, shape: float) -> Sold:
    return Sold(observed, expected, *usual_range(expected, shape))
