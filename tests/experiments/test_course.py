"""The course of an experiment: what the chart shows is what the verdict rests on, as far as it is known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from apps.catalog.models import Product
from apps.experiments.counterfactual import PRE_DAYS
from apps.experiments.course import Course, CourseDay, course_of
from apps.experiments.look import Silence
from apps.experiments.models import Experiment
from apps.experiments.review import review_due
from apps.jobs.models import SyncRun
from apps.sales.models import SalesHistory
from apps.shops.models import Member
from tests.experiments.windows import ENDS_ON, REVIEW, STARTS_ON, Source, changed, measured, synced, with_neighbours
from tests.inventory.shelf import TODAY, Shelf, queries_counted

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def shelf(shelf: Shelf) -> Shelf:
    return with_neighbours(shelf)


def course(experiment: Experiment) -> Course:
    found = course_of(experiment)
    assert found is not None
    return found


def on(day: date, found: Course) -> CourseDay:
    (one,) = [one for one in found.days if one.day == day]
    return one


def silences(found: Course) -> dict[date, Silence | None]:
    return {one.day: one.silence for one in found.measured}


def known_until(shelf: Shelf, day: date) -> None:
    """The shop's last complete sync was on the morning of `day`."""
    SyncRun.objects.all().delete()
    synced(shelf, day)


def test_its_end_is_what_the_verdict_says(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner, [6, 2, None, 5, 7, 6, 3])
    review_due(shop=shelf.shop, today=REVIEW)
    verdict = experiment.verdicts.get()

    found = course(experiment)

    last = found.measured[-1].so_far
    assert last is not None
    assert last.observed == verdict.observed
    assert last.expected == pytest.approx(verdict.expected)
    assert last.low < last.expected < last.high
    assert (found.sales.observed, found.sales.expected) == (verdict.observed, verdict.expected)


def test_it_begins_with_the_baseline(shelf: Shelf, owner: Member) -> None:
    found = course(measured(shelf, owner))

    assert [one.day for one in found.days] == [STARTS_ON + number * DAY for number in range(-PRE_DAYS, 7)]
    assert [one.is_measured for one in found.days] == [False] * PRE_DAYS + [True] * 7
    before = on(TODAY - DAY, found)
    assert (before.sold.observed, before.so_far, before.silence) == (4, None, None)
    assert before.sold.expected == pytest.approx(4, rel=0.05)
    assert before.sold.low < 4 < before.sold.high


def test_so_far_is_the_sum_of_the_measured_days(shelf: Shelf, owner: Member) -> None:
    found = course(measured(shelf, owner, [6, 2, 0, 5, 7, 6, 3]))
    so_far = [one.so_far for one in found.measured if one.so_far]
    assert [one.observed for one in so_far] == [6, 8, 8, 13, 20, 26, 29]
    assert [one.expected for one in so_far] == pytest.approx([4 * day for day in range(1, 8)], rel=0.05)


def test_while_it_runs_it_ends_with_the_last_known_day(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner, [6, 2, 0, 5, 7, 6, 3])
    known_until(shelf, STARTS_ON + 3 * DAY)

    found = course(experiment)

    assert ([one.sold.observed for one in found.measured], found.length) == ([6, 2, 0], 7)
    assert (found.sales.observed, found.sales.days) == (8, 3)


def test_before_the_first_measured_day_is_over_there_is_none(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner)
    known_until(shelf, STARTS_ON)
    assert course_of(experiment) is None
    known_until(shelf, STARTS_ON + DAY)
    assert len(course(experiment).measured) == 1


def test_a_shop_that_was_never_synced_has_none(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner)
    SyncRun.objects.all().delete()
    assert course_of(experiment) is None


def test_a_stop_ends_it_whatever_was_sold_later(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner)
    experiment.state, experiment.stopped_on = "stopped", STARTS_ON + 4 * DAY
    assert [one.day for one in course(experiment).measured] == [STARTS_ON + number * DAY for number in range(4)]


def test_a_product_that_is_gone_has_none(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner)
    experiment.product.daily_facts.all().delete()
    Product.objects.filter(pk=experiment.product_id).update(is_archived=True)
    assert course_of(experiment) is None


class TestDaysThatSayNothing:
    def test_a_day_out_of_stock_adds_nothing(self, shelf: Shelf, owner: Member) -> None:
        found = course(measured(shelf, owner, [6, None, 6, 6, 6, 6, 6]))
        empty = STARTS_ON + DAY

        assert on(empty, found).silence == Silence.OUT_OF_STOCK
        assert on(empty, found).so_far == on(STARTS_ON, found).so_far
        assert found.sales.valid_days == 6

    def test_a_week_without_a_sale_of_unknown_stock_was_probably_empty(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner, [0] * 7)
        experiment.product.daily_facts.filter(day__gte=STARTS_ON).delete()
        assert set(silences(course(experiment)).values()) == {Silence.PERHAPS_OUT_OF_STOCK}

    def test_the_day_of_the_change_is_on_neither_side(self, shelf: Shelf, owner: Member) -> None:
        found = course(measured(shelf, owner))
        assert on(TODAY, found).silence == Silence.PRICE_CHANGED

    def test_days_at_an_earlier_price_are_named(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        earlier = STARTS_ON - 20 * DAY
        changed(experiment.product, earlier)

        found = course(experiment)

        assert on(earlier, found).silence == Silence.OTHER_PRICE
        assert on(earlier + DAY, found).silence is None

    def test_days_before_the_shops_history_are_unknown(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        SalesHistory.objects.update(sales_from=STARTS_ON - 20 * DAY)

        found = course(experiment)

        assert on(STARTS_ON - 21 * DAY, found).silence == Silence.UNKNOWN
        assert on(STARTS_ON - 20 * DAY, found).silence is None

    @pytest.mark.parametrize(
        ("source", "first"), [(Source.VITRINA, STARTS_ON + 3 * DAY), (Source.MARKETPLACE, STARTS_ON + 2 * DAY)]
    )
    def test_days_after_another_change_say_nothing_more(
        self, shelf: Shelf, owner: Member, source: Source, first: date
    ) -> None:
        experiment = measured(shelf, owner)
        changed(experiment.product, STARTS_ON + 3 * DAY, source=source)

        found = silences(course(experiment))

        assert {day for day, silence in found.items() if silence is None} == {day for day in found if day < first}
        assert found[ENDS_ON] == Silence.OTHER_PRICE


def test_it_takes_as_many_queries_however_long_it_ran(shelf: Shelf, owner: Member) -> None:
    experiment = Experiment.objects.select_related("shop").get(pk=measured(shelf, owner).pk)
    known_until(shelf, STARTS_ON + DAY)
    with queries_counted() as few:
        course(experiment)
    known_until(shelf, REVIEW)
    for product in shelf.products[:5]:
        changed(product, STARTS_ON)
    with queries_counted() as more:
        course(experiment)
    assert len(few) == len(more) <= 8
