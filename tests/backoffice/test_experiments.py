"""The pages of experiments: the verdict in the words of its card, the chart with its table, and how far it is."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from django.utils import translation

from apps.backoffice.experiment_page import ExperimentPage, page_of, progress_of
from apps.catalog.models import Product
from apps.common.clock import real_now
from apps.common.periods import day_of
from apps.experiments.models import Experiment
from apps.experiments.review import review_due
from apps.jobs.models import SyncRun
from apps.shops.models import Language, Member
from tests.backoffice.site import client_of, url
from tests.experiments.windows import ENDS_ON, REVIEW, STARTS_ON, WELL, changed, measured, synced, with_neighbours
from tests.inventory.shelf import Shelf, queries_counted
from tests.reports.rows import told, verdict

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def owner(owner: Member) -> Member:
    owner.person.user.is_staff = True
    owner.person.user.save()
    return owner


@pytest.fixture
def shelf(shelf: Shelf) -> Shelf:
    return with_neighbours(shelf)


def read(experiment: Experiment, by: Member) -> str:
    """The page's text without its tags."""
    content = client_of(by).get(url(Experiment, "change", experiment.pk)).content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def listed(by: Member) -> str:
    content = client_of(by).get(url(Experiment, "changelist")).content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def page(experiment: Experiment, today: date = REVIEW) -> ExperimentPage:
    return page_of(Experiment.objects.select_related("shop", "product").get(pk=experiment.pk), today)


def running(shelf: Shelf, by: Member, units: Sequence[int | None], *, known: int) -> Experiment:
    """Of which so many measured days are known."""
    experiment = measured(shelf, by, units)
    SyncRun.objects.all().delete()
    synced(shelf, STARTS_ON + known * DAY)
    return experiment


class TestWords:
    def test_the_verdict_is_said_as_on_its_card(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        review_due(shop=shelf.shop, today=REVIEW)
        card = told(owner, "verdict_card", experiment=experiment.pk, as_of=str(REVIEW))

        words = page(experiment).words

        assert "SUCCESS: the new price earns more." in words
        assert words in card.html
        said = card.text.partition("SUCCESS")[2].removesuffix("All about this decision")
        assert " ".join(said.split()) in read(experiment, owner)

    def test_a_void_one_says_why(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        changed(experiment.product, STARTS_ON + DAY)
        review_due(shop=shelf.shop, today=REVIEW)
        assert "VOID: there will be no verdict. The price was changed again while it ran." in read(experiment, owner)

    def test_a_stopped_one_says_what_is_left_to_do(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        Experiment.objects.update(state="stopped", stopped_on=STARTS_ON + 2 * DAY)
        assert "Stopped early on March 5: no further verdict. Keep the new price or roll it back." in (
            read(experiment, owner)
        )

    def test_a_running_one_says_that_it_is_no_verdict_yet(self, shelf: Shelf, owner: Member) -> None:
        experiment = running(shelf, owner, WELL, known=3)
        said = page(experiment).so_far
        assert re.match(
            r"On 3 days that count: 18 units; without the change 11\.\d were expected \(nine times of ten", said
        )
        seen = read(experiment, owner)
        assert said in seen
        assert "no verdict yet" in seen

    def test_what_is_over_does_not_say_so(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        review_due(shop=shelf.shop, today=REVIEW)
        assert "no verdict yet" not in read(experiment, owner)

    @pytest.mark.parametrize(
        ("today", "words"),
        [
            (STARTS_ON - DAY, "The first whole day at the new price is March 3."),
            (STARTS_ON, "Day 1 of 7, 6 days left after it; the verdict comes on the morning of March 10."),
            (ENDS_ON - DAY, "Day 6 of 7, 1 day left after it; the verdict comes on the morning of March 10."),
            (ENDS_ON, "Day 7 of 7, 0 days left after it; the verdict comes on the morning of March 10."),
            (REVIEW, "All its days are over: the verdict comes with the next review."),
        ],
    )
    def test_how_far_it_is(self, shelf: Shelf, owner: Member, today: date, words: str) -> None:
        assert progress_of(measured(shelf, owner), today) == words

    @pytest.mark.parametrize("state", ["judged", "stopped", "kept", "rolled_back", "void"])
    def test_what_does_not_run_is_nowhere(self, shelf: Shelf, owner: Member, state: str) -> None:
        experiment = measured(shelf, owner)
        experiment.state = state
        assert progress_of(experiment, STARTS_ON) == ""


class TestChart:
    def test_each_day_says_its_figures(self, shelf: Shelf, owner: Member) -> None:
        daily, so_far = page(measured(shelf, owner, [6, None, 6, 6, 6, 6, 6])).pictures

        labels = [point.label for point in daily.wide.points]
        assert len(labels) == 56 + 7
        assert labels[56].startswith("March 3: 6 units, expected 3.9 (1 to 8)")
        assert labels[57].endswith("does not count: out of stock")
        assert so_far.wide.points[2].label.startswith("March 5: 12 units, expected 7.7 (3 to 14)")

    def test_a_running_one_leaves_room_for_the_days_to_come(self, shelf: Shelf, owner: Member) -> None:
        _daily, so_far = page(running(shelf, owner, WELL, known=3)).pictures
        assert [point.figures is None for point in so_far.wide.points] == [False] * 3 + [True] * 4
        assert so_far.wide.points[-1].day == ENDS_ON

    def test_where_there_is_little_room_there_is_less_of_the_baseline(self, shelf: Shelf, owner: Member) -> None:
        daily, _so_far = page(measured(shelf, owner)).pictures
        assert len(daily.narrow.points) == 21 + 7
        assert daily.narrow.points[-1] == daily.wide.points[-1]

    def test_the_table_under_it_says_the_same_newest_first(self, shelf: Shelf, owner: Member) -> None:
        table = page(measured(shelf, owner, [6, None, 6, 6, 6, 6, 6])).table

        assert [line.day for line in table[:7]] == [f"March {day}" for day in range(9, 2, -1)]
        newest, change, before = table[0], table[7], table[8]
        assert (newest.sold, newest.sold_so_far, newest.note) == ("6", "36", "")
        assert table[5].note == "does not count: out of stock"
        assert change.note == "does not count: the day of the price change"
        assert (before.day, before.sold_so_far) == ("March 1", "")

    def test_its_age_is_told(self, shelf: Shelf, owner: Member) -> None:
        assert "Data as of March 10, 06:00." in read(measured(shelf, owner), owner)

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("running", "There is no chart before the first measured day is over"),
            ("void", "There is no chart: no whole"),
        ],
    )
    def test_before_there_is_anything_to_draw_it_says_so(
        self, shelf: Shelf, owner: Member, state: str, words: str
    ) -> None:
        experiment = running(shelf, owner, WELL, known=0)
        Experiment.objects.update(state=state)
        assert words in read(experiment, owner)

    def test_a_name_does_not_become_markup(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        Product.objects.filter(pk=experiment.product_id).update(name="<script>alert(1)</script>")
        review_due(shop=shelf.shop, today=REVIEW)
        for address in (url(Experiment, "change", experiment.pk), url(Experiment, "changelist")):
            assert "<script>alert" not in client_of(owner).get(address).content.decode()

    @pytest.mark.parametrize("language", Language.values)
    def test_it_is_drawn_in_every_language(self, shelf: Shelf, owner: Member, language: str) -> None:
        experiment = measured(shelf, owner)
        owner.person.language = language
        owner.person.save()
        content = client_of(owner).get(url(Experiment, "change", experiment.pk)).content.decode()
        coordinates = re.findall(r' (?:x|y|x1|x2|y1|y2|cx|cy|width|height|d)="([^"]*)"', content)
        assert len(coordinates) > 100
        assert not any("," in coordinate for coordinate in coordinates)


class TestQueries:
    def test_a_page_takes_as_many_however_much_there_is_to_tell(self, shelf: Shelf, owner: Member) -> None:
        experiment = running(shelf, owner, WELL, known=1)
        verdict(experiment, as_of=STARTS_ON)
        read(experiment, owner)  # what Django asks once
        with queries_counted() as few:
            read(experiment, owner)
        synced(shelf, REVIEW)
        for number in range(1, 4):
            verdict(experiment, as_of=STARTS_ON + number * DAY)
            changed(shelf.products[number], STARTS_ON)
            measured(shelf, owner)
        with queries_counted() as more:
            read(experiment, owner)
        assert len(more) == len(few)

    def test_the_list_takes_as_many_however_long_it_is(self, shelf: Shelf, owner: Member) -> None:
        measured(shelf, owner)
        listed(owner)  # what Django asks once
        with queries_counted() as few:
            listed(owner)
        for _ in range(3):
            measured(shelf, owner)
        review_due(shop=shelf.shop, today=REVIEW)
        with queries_counted() as more:
            listed(owner)
        assert len(more) == len(few)


class TestList:
    def test_it_shows_product_price_state_day_and_verdict(self, shelf: Shelf, owner: Member) -> None:
        measured(shelf, owner)
        review_due(shop=shelf.shop, today=REVIEW)
        assert "Scarf SKU-21 — 1,000 RUB → 1,090 RUB (+9%) judged, waiting for a decision 7 days success" in listed(
            owner
        )

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("running", "running day 3 of 7"),
            ("stopped", "waiting for a decision days: 1 of 7"),
            ("void", "void 7 days"),
        ],
    )
    def test_it_says_how_far_each_is(self, shelf: Shelf, owner: Member, state: str, words: str) -> None:
        today = day_of(real_now(), shelf.shop.timezone)
        stopped_on = today - DAY if state == "stopped" else None
        experiment = measured(shelf, owner)
        Experiment.objects.filter(pk=experiment.pk).update(
            state=state, starts_on=today - 2 * DAY, stopped_on=stopped_on
        )
        assert words in listed(owner)


def test_the_rules_of_prices_say_what_a_length_means(owner: Member) -> None:
    with translation.override("en"):
        content = client_of(owner).get("/admin/pricing/pricingsettings/add/").content.decode()
    assert "How long a new price is measured before its verdict." in content
    assert [days for days in (7, 14, 21, 28) if f'<option value="{days}"' in content] == [7, 14, 21, 28]
