"""What stands above an experiment's columns on its page: how it stands, in words, and how it went, as charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.backoffice.chart import Chart, Figures, Point
from apps.common import formats
from apps.experiments.course import Course, CourseDay, Sold, course_of
from apps.experiments.look import Silence
from apps.experiments.models import Experiment
from apps.reports.verdict_card import in_words
from apps.sales.shop_sync import data_as_of

State = Experiment.State

WIDE, NARROW = (880, 270), (350, 240)
NARROW_BASELINE = 21
"""So many days of the baseline are drawn where there is little room."""
SILENCE: dict[Silence, str | Promise] = {
    Silence.OUT_OF_STOCK: gettext_lazy("out of stock"),
    Silence.PERHAPS_OUT_OF_STOCK: gettext_lazy("nothing sold for so long that it was probably out of stock"),
    Silence.OTHER_PRICE: gettext_lazy("sold at another price"),
    Silence.PRICE_CHANGED: gettext_lazy("the day of the price change"),
    Silence.UNKNOWN: gettext_lazy("the sales of the day are not known"),
}


@dataclass(frozen=True)
class Picture:
    """One chart, in two sizes of which a screen shows one."""

    title: str
    unit: str
    wide: Chart
    narrow: Chart


@dataclass(frozen=True)
class Line:
    """A day of the table under the charts, in words."""

    day: str
    sold: str
    expected: str
    sold_so_far: str
    expected_so_far: str
    note: str


@dataclass(frozen=True)
class ExperimentPage:
    """`words` are the verdict's, as HTML; `so_far` and the charts are of the data of `data_as_of`."""

    words: str
    progress: str
    so_far: str
    nothing_yet: str
    data_as_of: str
    is_running: bool
    pictures: list[Picture]
    table: list[Line]


def page_of(experiment: Experiment, today: date) -> ExperimentPage:
    course, as_of = course_of(experiment), data_as_of(experiment.shop)
    return ExperimentPage(
        words=in_words(experiment),
        progress=progress_of(experiment, today),
        so_far=_so_far(course) if course else "",
        nothing_yet="" if course else _nothing_yet(experiment),
        data_as_of=formats.moment(as_of, experiment.shop.timezone) if as_of else "",
        is_running=experiment.state == State.RUNNING,
        pictures=[_daily(course), _summed_up(course, experiment)] if course else [],
        table=[_line(day) for day in reversed(course.days)] if course else [],
    )


def progress_of(experiment: Experiment, today: date) -> str:
    """How far a running experiment is; "" of any other."""
    if experiment.state != State.RUNNING:
        return ""
    if today < experiment.starts_on:
        return _("The first whole day at the new price is %(day)s.") % {"day": formats.short_day(experiment.starts_on)}
    if today > experiment.ends_on:
        return _("All its days are over: the verdict comes with the next review.")
    left = (experiment.ends_on - today).days
    said = ngettext(
        "Day %(number)s of %(days)s, %(left)s day left after it; the verdict comes on the morning of %(morning)s.",
        "Day %(number)s of %(days)s, %(left)s days left after it; the verdict comes on the morning of %(morning)s.",
        left,
    )
    return said % {
        "number": experiment.days_over(today) + 1,
        "days": experiment.days,
        "left": left,
        "morning": formats.short_day(experiment.ends_on + timedelta(days=1)),
    }


def _nothing_yet(experiment: Experiment) -> str:
    if experiment.state == State.RUNNING:
        return _("There is no chart before the first measured day is over and its sales are known.")
    return _("There is no chart: no whole day at the new price is known.")


def _so_far(course: Course) -> str:
    last = course.measured[-1].so_far
    if last is None or not course.sales.measured:
        return _("So far there is no day that could be compared.")
    said = ngettext(
        "On %(days)s day that counts: %(units)s; without the change %(expected)s were expected "
        "(nine times of ten %(low)s to %(high)s).",
        "On %(days)s days that count: %(units)s; without the change %(expected)s were expected "
        "(nine times of ten %(low)s to %(high)s).",
        course.sales.valid_days,
    )
    return said % {"days": course.sales.valid_days, "units": _units(last.observed), **_expected(last)}


def _daily(course: Course) -> Picture:
    points = [
        Point(
            day=one.day,
            figures=_figures(one.sold),
            label=_said(one, one.sold),
            is_silent=one.silence is not None,
            is_measured=one.is_measured,
        )
        for one in course.days
    ]
    baseline = len(course.days) - len(course.measured)
    few = points[max(baseline - NARROW_BASELINE, 0) :]
    return Picture(_("Day by day"), _("units a day"), Chart(points, *WIDE), Chart(few, *NARROW))


def _summed_up(course: Course, experiment: Experiment) -> Picture:
    points = [
        Point(
            day=one.day,
            figures=_figures(one.so_far),
            label=_said(one, one.so_far),
            is_silent=one.silence is not None,
        )
        for one in course.measured
        if one.so_far
    ]
    points += [Point(day, None) for day in _days_to_come(course, experiment)]
    wide, narrow = (Chart(points, *size, is_sum=True) for size in (WIDE, NARROW))
    return Picture(_("Since the start"), _("units since the start"), wide, narrow)


def _days_to_come(course: Course, experiment: Experiment) -> Iterator[date]:
    if experiment.state == State.RUNNING:
        for number in range(len(course.measured), course.length):
            yield experiment.starts_on + timedelta(days=number)


def _figures(sold: Sold) -> Figures:
    return Figures(sold.observed, sold.expected, sold.low, sold.high)


def _said(one: CourseDay, sold: Sold) -> str:
    """March 5: 6 units, expected 4.2 (1 to 8)."""
    said = _("%(day)s: %(units)s, expected %(expected)s (%(low)s to %(high)s)") % {
        "day": formats.short_day(one.day),
        "units": _units(sold.observed),
        **_expected(sold),
    }
    return f"{said}; {_note(one)}" if one.silence else said


def _line(one: CourseDay) -> Line:
    return Line(
        day=formats.short_day(one.day),
        sold=formats.whole(one.sold.observed),
        expected=_range(one.sold),
        sold_so_far=formats.whole(one.so_far.observed) if one.so_far else "",
        expected_so_far=_range(one.so_far) if one.so_far else "",
        note=_note(one),
    )


def _note(one: CourseDay) -> str:
    return _("does not count: %(why)s") % {"why": SILENCE[one.silence]} if one.silence else ""


def _range(sold: Sold) -> str:
    return _("%(expected)s (%(low)s to %(high)s)") % _expected(sold)


def _expected(sold: Sold) -> dict[str, str]:
    return {
        "expected": formats.number(sold.expected),
        "low": formats.whole(sold.low),
        "high": formats.whole(sold.high),
    }


def _units(units: int) -> str:
    return ngettext("%(count)s unit", "%(count)s units", units) % {"count": formats.whole(units)}
