"""The morning's verdicts: on finished windows only, once, from complete data, told to those who may decide."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from apps.catalog.models import PriceChange, Product
from apps.common.errors import Refused
from apps.experiments.lifecycle import extend, keep
from apps.experiments.models import Experiment, Verdict
from apps.experiments.review import review_due
from apps.notifications.models import OutboxMessage
from apps.sales.models import SalesHistory
from apps.shops.models import AuditEntry, Member
from apps.shops.roles import Role
from tests.cast import boris, member
from tests.experiments.windows import (
    BADLY,
    ENDS_ON,
    LARGE_MARGIN,
    OTHERS,
    REVIEW,
    STARTS_ON,
    changed,
    measured,
    synced,
    with_neighbours,
)
from tests.inventory.shelf import TODAY, Shelf
from tests.reports import rows
from tests.threads import at_once, wait_for_a_lock

pytestmark = pytest.mark.django_db

D = Decimal
State = Experiment.State
Source = PriceChange.Source


@pytest.fixture
def shelf(shelf: Shelf) -> Shelf:
    return with_neighbours(shelf)


def reviewed(shelf: Shelf, day: date = REVIEW) -> dict[str, int]:
    return review_due(shop=shelf.shop, today=day)


def verdict_on(shelf: Shelf, experiment: Experiment) -> Verdict:
    reviewed(shelf)
    return experiment.verdicts.get()


def stands(experiment: Experiment) -> tuple[str, str]:
    experiment.refresh_from_db()
    return experiment.state, experiment.void_reason


class TestWhen:
    def test_nothing_is_judged_in_a_shop_that_was_never_synced(self, owner: Member) -> None:
        with pytest.raises(Refused, match="data of this morning are not complete"):
            reviewed(Shelf(owner.seller.shops.get()))

    def test_nothing_is_judged_on_the_data_of_yesterday(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)

        with pytest.raises(Refused, match="data of this morning are not complete"):
            reviewed(shelf, REVIEW + timedelta(days=1))

        assert stands(experiment) == (State.RUNNING, "")
        assert not Verdict.objects.exists()

    def test_the_last_measured_day_must_be_over(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)

        assert reviewed(shelf, ENDS_ON) == {}
        assert stands(experiment) == (State.RUNNING, "")

        assert reviewed(shelf, REVIEW) == {"SUCCESS": 1}
        assert stands(experiment) == (State.JUDGED, "")

    def test_a_morning_that_was_missed_is_made_up_for(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        later = REVIEW + timedelta(days=3)
        synced(shelf, later)

        assert reviewed(shelf, later) == {"SUCCESS": 1}

        assert experiment.verdicts.get().as_of == later

    def test_it_is_judged_once(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        reviewed(shelf)
        told = OutboxMessage.objects.count()

        assert reviewed(shelf) == {}
        synced(shelf, REVIEW + timedelta(days=1))
        assert reviewed(shelf, REVIEW + timedelta(days=1)) == {}

        assert experiment.verdicts.count() == 1
        assert OutboxMessage.objects.count() == told == 1
        assert AuditEntry.objects.filter(action="experiment.judged").count() == 1

    @pytest.mark.parametrize("state", ["judged", "stopped", "kept", "rolling_back", "rolled_back", "void"])
    def test_only_what_is_running_is_judged(self, shelf: Shelf, owner: Member, state: str) -> None:
        experiment = measured(shelf, owner)
        Experiment.objects.update(state=state)

        assert reviewed(shelf) == {}

        assert stands(experiment)[0] == state
        assert not OutboxMessage.objects.exists()

    def test_an_extended_one_is_judged_again_on_all_its_days(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        reviewed(shelf)
        extend(experiment_id=experiment.pk, by=owner, now=rows.NOW)
        end = ENDS_ON + timedelta(days=7)
        for product in shelf.products:
            shelf.sold(product, [2] * 7, last=end)
        synced(shelf, end + timedelta(days=1))
        assert reviewed(shelf, end) == {}

        reviewed(shelf, end + timedelta(days=1))

        assert [verdict.valid_days for verdict in experiment.verdicts.order_by("as_of")] == [7, 14]
        assert OutboxMessage.objects.count() == 2

    def test_windows_of_different_lengths_are_judged_on_one_morning(self, shelf: Shelf, owner: Member) -> None:
        week, fortnight = measured(shelf, owner), measured(shelf, owner, BADLY * 2, economics=LARGE_MARGIN)

        assert reviewed(shelf) == {"SUCCESS": 1, "FAILED": 1}

        assert (week.verdicts.get().observed, fortnight.verdicts.get().observed) == (42, 0)

    def test_another_sellers_experiments_are_left_alone(self, shelf: Shelf) -> None:
        theirs = boris()
        experiment = measured(Shelf(theirs.seller.shops.get()), theirs)
        assert reviewed(shelf) == {}
        assert stands(experiment) == (State.RUNNING, "")


class TestWhatItSays:
    def test_what_was_seen_is_put_beside_what_was_to_be_expected(self, shelf: Shelf, owner: Member) -> None:
        verdict = verdict_on(shelf, measured(shelf, owner))

        assert (verdict.as_of, verdict.result, verdict.advice, verdict.reasons) == (REVIEW, "SUCCESS", "keep", [])
        assert (verdict.observed, verdict.valid_days, verdict.inferred_days, verdict.controls) == (42, 7, 0, OTHERS)
        assert verdict.expected == pytest.approx(28, rel=0.05)
        assert verdict.shop_change == pytest.approx(0, abs=0.01)
        assert verdict.basis == Verdict.Basis.PROFIT
        assert verdict.per_day is not None
        assert verdict.per_day > 0

    def test_a_rise_that_nobody_paid_has_failed(self, shelf: Shelf, owner: Member) -> None:
        verdict = verdict_on(shelf, measured(shelf, owner, BADLY, economics=LARGE_MARGIN))
        assert (verdict.result, verdict.advice) == ("FAILED", "roll_back")

    def test_where_the_cost_is_unknown_nothing_is_claimed(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        Experiment.objects.update(economics={**experiment.economics, "cost": None})

        verdict = verdict_on(shelf, experiment)

        assert (verdict.result, verdict.advice, verdict.lean) == ("INCONCLUSIVE", "", "")
        assert verdict.reasons == ["UNKNOWN_COST"]
        assert verdict.basis == Verdict.Basis.REVENUE

    def test_days_out_of_stock_say_nothing(self, shelf: Shelf, owner: Member) -> None:
        verdict = verdict_on(shelf, measured(shelf, owner, [6, None, 6, None, 6, 6, 6]))
        assert (verdict.valid_days, verdict.observed) == (5, 30)

    def test_too_few_days_in_stock_forbid_a_claim(self, shelf: Shelf, owner: Member) -> None:
        verdict = verdict_on(shelf, measured(shelf, owner, [6, None, None, None, 6, 6, 6]))
        assert (verdict.result, verdict.reasons) == ("INCONCLUSIVE", ["FEW_VALID_DAYS"])

    def test_days_before_the_first_known_one_say_nothing(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        product = experiment.product
        product.daily_facts.filter(day__lt=STARTS_ON - timedelta(days=20)).update(units=40)
        SalesHistory.objects.update(sales_from=STARTS_ON - timedelta(days=20))

        assert verdict_on(shelf, experiment).expected == pytest.approx(28, rel=0.1)

    def test_days_at_an_earlier_price_say_nothing_of_the_price_before(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        earlier = STARTS_ON - timedelta(days=20)
        experiment.product.daily_facts.filter(day__lte=earlier).update(units=40)
        changed(experiment.product, earlier)

        assert verdict_on(shelf, experiment).expected == pytest.approx(28, rel=0.1)

    def test_the_day_of_the_change_belongs_to_neither_side(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        experiment.product.daily_facts.filter(day=TODAY).update(units=400)

        verdict = verdict_on(shelf, experiment)

        assert verdict.observed == 42
        assert verdict.expected == pytest.approx(28, rel=0.05)


class TestWhatItIsComparedWith:
    def test_a_product_under_an_experiment_is_no_control(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        rows.experiment(shelf.products[0], owner, state="judged")
        rows.experiment(shelf.products[1], owner, state="void", starts_on=STARTS_ON)
        rows.experiment(shelf.products[2], owner, state="kept", starts_on=STARTS_ON - timedelta(days=30))

        assert verdict_on(shelf, experiment).controls == OTHERS - 1, "a void one and one that was over do not count"

    @pytest.mark.parametrize(
        ("seen_on", "source", "is_control"),
        [
            (TODAY - timedelta(days=1), Source.MARKETPLACE, True),
            (TODAY, Source.MARKETPLACE, False),
            (ENDS_ON, Source.MARKETPLACE, False),
            (REVIEW, Source.MARKETPLACE, False),
            (REVIEW, Source.VITRINA, True),
            (REVIEW + timedelta(days=1), Source.MARKETPLACE, True),
        ],
    )
    def test_a_product_whose_price_changed_in_the_window_is_no_control(
        self, shelf: Shelf, owner: Member, seen_on: date, source: Source, is_control: bool
    ) -> None:
        experiment = measured(shelf, owner)
        changed(shelf.products[0], seen_on, source=source)
        assert verdict_on(shelf, experiment).controls == OTHERS - (not is_control)

    def test_a_price_that_is_seen_for_the_first_time_has_not_changed(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        changed(shelf.products[0], ENDS_ON, source=Source.FIRST_SEEN)
        PriceChange.objects.filter(source=Source.FIRST_SEEN).update(price_from=None)
        assert verdict_on(shelf, experiment).controls == OTHERS

    def test_too_few_untouched_products_forbid_a_claim(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        for product in shelf.products[:6]:
            changed(product, ENDS_ON)

        verdict = verdict_on(shelf, experiment)

        assert (verdict.result, verdict.reasons, verdict.controls) == ("INCONCLUSIVE", ["FEW_CONTROLS"], 14)
        assert verdict.shop_change is None


class TestVoid:
    @pytest.mark.parametrize(
        ("seen_on", "source", "is_void"),
        [
            (TODAY, Source.MARKETPLACE, False),
            (STARTS_ON, Source.MARKETPLACE, True),
            (ENDS_ON, Source.VITRINA, True),
            (REVIEW, Source.MARKETPLACE, True),
            (REVIEW, Source.VITRINA, False),
            (REVIEW + timedelta(days=1), Source.MARKETPLACE, False),
        ],
        ids=["before", "first day", "last day, by us", "seen on the morning after", "by us that morning", "later"],
    )
    def test_a_price_that_changed_again_in_the_window_cannot_be_judged(
        self, shelf: Shelf, owner: Member, seen_on: date, source: Source, is_void: bool
    ) -> None:
        experiment = measured(shelf, owner)
        changed(experiment.product, seen_on, source=source)

        assert ("VOID" in reviewed(shelf)) is is_void

        assert stands(experiment) == ((State.VOID, "price_changed") if is_void else (State.JUDGED, ""))
        assert experiment.verdicts.exists() is not is_void

    def test_a_product_that_is_gone_cannot_be_judged(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        experiment.product.daily_facts.all().delete()
        Product.objects.filter(pk=experiment.product_id).update(is_archived=True)

        assert reviewed(shelf) == {"VOID": 1}

        assert stands(experiment) == (State.VOID, "archived")

    def test_one_that_was_archived_after_it_sold_is_judged(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        Product.objects.filter(pk=experiment.product_id).update(is_archived=True)
        assert reviewed(shelf) == {"SUCCESS": 1}

    def test_one_void_experiment_keeps_no_other_from_its_verdict(self, shelf: Shelf, owner: Member) -> None:
        disturbed, calm = measured(shelf, owner), measured(shelf, owner)
        changed(disturbed.product, STARTS_ON)

        assert reviewed(shelf) == {"VOID": 1, "SUCCESS": 1}

        assert (stands(disturbed)[0], stands(calm)[0]) == (State.VOID, State.JUDGED)


class TestWhoIsTold:
    @pytest.mark.parametrize("is_disturbed", [False, True])
    def test_those_who_may_decide_are_told_once(self, shelf: Shelf, owner: Member, is_disturbed: bool) -> None:
        olga = member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002)
        member(owner.seller, "Viktor", Role.VIEWER, telegram_id=1003)
        member(owner.seller, "Pavel", Role.OWNER)
        boris()
        experiment = measured(shelf, owner)
        if is_disturbed:
            changed(experiment.product, STARTS_ON)

        reviewed(shelf), reviewed(shelf)

        messages = OutboxMessage.objects.all()
        assert sorted(message.person_id for message in messages) == sorted([owner.person_id, olga.person_id])
        for message in messages:
            assert (message.name, message.subject) == ("verdict_card", f"experiment:{experiment.pk}")
            assert message.params == {"experiment": experiment.pk, "as_of": str(REVIEW)}

    def test_the_trail_says_what_was_found(self, shelf: Shelf, owner: Member) -> None:
        measured(shelf, owner)
        reviewed(shelf)
        assert AuditEntry.objects.get(action="experiment.judged").data == {"result": "SUCCESS", "as_of": str(REVIEW)}

    def test_the_verdict_can_be_decided_on(self, shelf: Shelf, owner: Member) -> None:
        experiment = measured(shelf, owner)
        reviewed(shelf)
        keep(experiment_id=experiment.pk, by=owner, now=rows.NOW)
        assert stands(experiment) == (State.KEPT, "")


@pytest.mark.django_db(transaction=True)
def test_two_reviews_at_once_give_one_verdict(shelf: Shelf, owner: Member) -> None:
    experiment = measured(shelf, owner)

    at_once(*[lambda: reviewed(shelf)] * 4)

    assert experiment.verdicts.count() == 1
    assert OutboxMessage.objects.count() == 1
    assert AuditEntry.objects.filter(action="experiment.judged").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_disturbed", [False, True], ids=["to be judged", "to be void"])
def test_one_that_is_decided_on_while_it_is_reviewed_counts_for_nothing(
    shelf: Shelf, owner: Member, is_disturbed: bool
) -> None:
    experiment = measured(shelf, owner)
    if is_disturbed:
        changed(experiment.product, STARTS_ON)

    with ThreadPoolExecutor(1) as reviewer, transaction.atomic():
        Experiment.objects.update(state=State.ROLLING_BACK)
        counts = reviewer.submit(at_once, lambda: reviewed(shelf))
        wait_for_a_lock()

    assert counts.result() == [{}]
    assert stands(experiment) == (State.ROLLING_BACK, "")
    assert not Verdict.objects.exists()
    assert not OutboxMessage.objects.exists()
