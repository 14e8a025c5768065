"""The morning's proposals: what is proposed, in which order, how many, and what keeps the others."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import Participation, Product, Promotion
from apps.catalog.product_settings import set_settings
from apps.catalog.sheet_words import Field
from apps.common.errors import Refused
from apps.decisions.approval import approve
from apps.decisions.models import DecisionRules, Proposal
from apps.notifications.models import OutboxMessage
from apps.pricing.analysis import CHOICE, FACTS, REASONS, analyse
from apps.pricing.facts import load_facts
from apps.pricing.kinds import PricePayload
from apps.pricing.models import PriceRecommendation, PricingSettings
from apps.shops.models import AuditEntry, KillSwitch, Member
from apps.shops.roles import Role
from tests.cast import boris, member
from tests.inventory.shelf import MORNING, Shelf
from tests.reports import rows

pytestmark = pytest.mark.django_db

NOW = MORNING + timedelta(minutes=30)
TOMORROW = NOW + timedelta(days=1)
LONG_AGO = MORNING - timedelta(days=30)
UNTOUCHED = 15
"""Products that must stay as they are in a shop of up to thirty."""


@pytest.fixture
def shelf(shelf: Shelf) -> Shelf:
    """Every product may be looked at on every day; nothing is on it yet."""
    PricingSettings.objects.create(shop_id=shelf.shop.pk, days_between_changes=1)
    return shelf


def seller(shelf: Shelf, *, a_day: int = 2) -> Product:
    """A product that sells so many a day and is worth a dearer price."""
    product = shelf.product()
    shelf.sold(product, [a_day] * 56)
    shelf.morning(product, 40 * a_day)
    return product


def idlers(shelf: Shelf, count: int = UNTOUCHED) -> None:
    """Products that sell nothing, so that nothing can be said of their prices."""
    for _ in range(count):
        shelf.product()


def rules(**columns: int) -> None:
    PricingSettings.objects.update(**columns)


def proposed(shelf: Shelf) -> dict[str, int]:
    return analyse(shop=shelf.shop, now=NOW, expires_at=TOMORROW)


def products_of_cards() -> list[int]:
    return [proposal.payload["product_id"] for proposal in Proposal.objects.order_by("pk")]


def test_no_card_goes_beyond_what_the_settings_of_its_product_allow(shelf: Shelf) -> None:
    idlers(shelf)
    bound, forbidden = seller(shelf), seller(shelf)
    set_settings(product=bound, values={Field.MAX_PRICE: Decimal(1035)}, by=None)
    set_settings(product=forbidden, values={Field.IS_REPRICED: False}, by=None)

    assert proposed(shelf) == {"too_few_days": UNTOUCHED, "proposed": 1, "repricing_off": 1}

    (proposal,) = Proposal.objects.all()
    assert (proposal.payload["product_id"], proposal.payload["price"]) == (bound.pk, "1030")
    kept = PriceRecommendation.objects.get(proposal=proposal)
    assert "own_maximum_held" in [reason["code"] for reason in kept.reasons]
    assert FACTS.validate_python(kept.facts).own.max_price == 1035


class TestTheMorning:
    def test_nothing_is_proposed_in_a_shop_that_was_never_synced(self, owner: Member) -> None:
        with pytest.raises(Refused, match="data of this morning are not complete"):
            proposed(Shelf(owner.seller.shops.get()))

    def test_nothing_is_proposed_on_the_data_of_yesterday(self, owner: Member) -> None:
        shelf = Shelf(owner.seller.shops.get())
        seller(shelf)
        shelf.synced(MORNING - timedelta(days=1))

        with pytest.raises(Refused, match="data of this morning are not complete"):
            proposed(shelf)

        assert not Proposal.objects.exists()

    def test_a_shop_without_products_has_nothing_to_propose(self, shelf: Shelf) -> None:
        assert proposed(shelf) == {}

    def test_another_sellers_products_are_left_alone(self, shelf: Shelf) -> None:
        idlers(shelf)
        theirs = Shelf(boris().seller.shops.get())
        seller(theirs)
        theirs.synced()

        assert proposed(shelf) == {"too_few_days": UNTOUCHED}

        assert not Proposal.objects.exists()


def test_each_product_is_counted_by_what_became_of_it(shelf: Shelf, owner: Member) -> None:
    idlers(shelf)
    seller(shelf)
    Product.objects.filter(pk=seller(shelf).pk).update(fbo_commission_rate=None)
    shelf.morning(seller(shelf), 0)
    rows.experiment(seller(shelf), owner)
    rows.decided(rows.proposal(seller(shelf)), owner, state="rejected")

    assert proposed(shelf) == {
        "too_few_days": UNTOUCHED,
        "proposed": 1,
        "unknown_terms": 1,
        "out_of_stock": 1,
        "experiment_running": 1,
        "not_due": 1,
    }


class TestACard:
    def test_it_proposes_the_chosen_price_and_what_it_may_bring(self, shelf: Shelf) -> None:
        product = seller(shelf)
        idlers(shelf)

        proposed(shelf)

        proposal = Proposal.objects.get()
        payload = PricePayload.model_validate(proposal.payload)
        choice = CHOICE.validate_python(PriceRecommendation.objects.get(proposal=proposal).choice)
        assert (payload.product_id, payload.price, payload.expected_price) == (product.pk, choice.price, product.price)
        assert choice.price > choice.current_price
        assert (proposal.effect, proposal.effect_low, proposal.effect_high, proposal.worst_case) == (
            choice.difference.expected,
            choice.difference.low,
            choice.difference.high,
            choice.difference.worst,
        )
        assert (proposal.data_as_of, proposal.created_at, proposal.expires_at) == (MORNING, NOW, TOMORROW)

    def test_the_facts_and_the_reasons_are_kept_beside_it(self, shelf: Shelf) -> None:
        product = seller(shelf)
        idlers(shelf)
        (facts,) = load_facts(shelf.shop, product_ids=[product.pk])

        proposed(shelf)

        kept = PriceRecommendation.objects.get(product=product)
        assert FACTS.validate_python(kept.facts) == facts
        assert REASONS.validate_python(kept.reasons)

    def test_it_is_put_before_those_who_may_approve_and_nobody_else(self, shelf: Shelf, owner: Member) -> None:
        olga = member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002)
        member(owner.seller, "Viktor", Role.VIEWER, telegram_id=1003)
        boris()
        seller(shelf)
        idlers(shelf)

        proposed(shelf)

        cards = OutboxMessage.objects.filter(name="proposal_card", params={"proposal": Proposal.objects.get().pk})
        assert {card.person for card in cards} == {owner.person, olga.person}
        assert OutboxMessage.objects.count() == 2


def test_what_needs_more_people_than_there_are_is_not_proposed_and_told(shelf: Shelf, owner: Member) -> None:
    seller(shelf), seller(shelf), seller(shelf)
    idlers(shelf)
    limits = DecisionRules.objects.create(shop=shelf.shop, two_above_step_rate=0)

    assert proposed(shelf)["too_few_people"] == 3

    assert not Proposal.objects.exists()
    (message,) = OutboxMessage.objects.filter(name="too_few_people")
    assert (message.person, message.params["count"]) == (owner.person, 3)
    limits.delete()
    assert proposed(shelf)["proposed"] == 3


def test_a_shop_that_applies_cards_together_gets_one_summary(shelf: Shelf, owner: Member) -> None:
    DecisionRules.objects.create(shop=shelf.shop, together_worst=100_000)
    seller(shelf), seller(shelf)
    idlers(shelf)

    assert proposed(shelf)["proposed"] == 2

    summary = OutboxMessage.objects.get(name="proposal_summary")
    assert (summary.person, summary.expires_at) == (owner.person, TOMORROW)


class TestHowMany:
    def test_the_largest_expected_gain_comes_first(self, shelf: Shelf) -> None:
        slow, quick, medium = (seller(shelf, a_day=a_day) for a_day in (1, 5, 3))
        idlers(shelf)

        assert proposed(shelf)["proposed"] == 3

        assert products_of_cards() == [quick.pk, medium.pk, slow.pk]
        gains = [proposal.effect for proposal in Proposal.objects.order_by("pk")]
        assert gains == sorted(gains, key=lambda gain: gain or 0, reverse=True)

    def test_no_more_cards_than_the_shop_wants_in_a_day(self, shelf: Shelf) -> None:
        rules(cards_per_day=2)
        _slow, quick, medium = (seller(shelf, a_day=a_day) for a_day in (1, 5, 3))
        idlers(shelf)

        assert proposed(shelf) == {"too_few_days": UNTOUCHED, "proposed": 2, "left_for_later": 1}

        assert products_of_cards() == [quick.pk, medium.pk]

    def test_a_shop_that_wants_no_cards_gets_none(self, shelf: Shelf) -> None:
        rules(cards_per_day=0)
        seller(shelf)
        idlers(shelf)

        assert proposed(shelf) == {"too_few_days": UNTOUCHED, "left_for_later": 1}

    @pytest.mark.parametrize(("untouched", "cards"), [(12, 0), (13, 1), (14, 2), (15, 3)])
    def test_enough_products_stay_untouched_to_compare_with(self, shelf: Shelf, untouched: int, cards: int) -> None:
        for _ in range(3):
            seller(shelf)
        idlers(shelf, untouched)

        counts = proposed(shelf)

        assert (counts.get("proposed", 0), counts.get("left_for_later", 0)) == (cards, 3 - cards)

    def test_what_is_measured_already_takes_room(self, shelf: Shelf, owner: Member) -> None:
        rows.experiment(seller(shelf), owner)
        seller(shelf), seller(shelf)
        idlers(shelf, UNTOUCHED - 1)

        assert proposed(shelf)["proposed"] == 1

    def test_a_second_run_on_the_same_day_finds_the_days_cards_made(self, shelf: Shelf) -> None:
        rules(cards_per_day=2)
        for _ in range(4):
            seller(shelf)
        idlers(shelf)
        proposed(shelf)

        assert proposed(shelf) == {"too_few_days": UNTOUCHED, "not_due": 2, "left_for_later": 2}

        assert Proposal.objects.count() == 2

    def test_cards_that_wait_for_a_decision_take_room_in_a_second_run(self, shelf: Shelf, owner: Member) -> None:
        for _ in range(3):
            seller(shelf)
        idlers(shelf, 14)
        assert proposed(shelf)["proposed"] == 2

        assert "proposed" not in proposed(shelf)
        for proposal in Proposal.objects.all():
            approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOW)
        assert "proposed" not in proposed(shelf)

    def test_the_next_day_has_room_again_though_yesterdays_cards_have_not_expired(self, shelf: Shelf) -> None:
        rules(cards_per_day=1)
        seller(shelf), seller(shelf)
        idlers(shelf)
        proposed(shelf)
        for product in shelf.products[:2]:
            shelf.morning(product, 40, day=TOMORROW.date())
        shelf.synced(MORNING + timedelta(days=1))

        counts = analyse(shop=shelf.shop, now=TOMORROW - timedelta(minutes=10), expires_at=TOMORROW + timedelta(days=1))

        assert counts["proposed"] == 1


class TestARefusal:
    def test_it_leaves_nothing_half_done(self, shelf: Shelf) -> None:
        product = seller(shelf)
        idlers(shelf)
        waiting = rows.proposal(product, created_at=LONG_AGO)
        KillSwitch.objects.create(shop=shelf.shop, is_on=True)

        assert proposed(shelf) == {"too_few_days": UNTOUCHED, "shop_stopped": 1}

        waiting.refresh_from_db()
        assert waiting.state == Proposal.State.PENDING
        assert list(Proposal.objects.all()) == [waiting]
        assert PriceRecommendation.objects.count() == 1, "the one of the older card"
        assert not OutboxMessage.objects.exists()
        assert not AuditEntry.objects.filter(action__startswith="proposal.").exists()

    def test_its_place_goes_to_the_next(self, shelf: Shelf, owner: Member) -> None:
        rules(cards_per_day=1)
        best, second = seller(shelf, a_day=5), seller(shelf, a_day=3)
        idlers(shelf)
        frozen = Promotion.objects.create(shop=shelf.shop, external_id="1", title="Sale", frozen_at=LONG_AGO)
        Participation.objects.create(promotion=frozen, product=best)

        assert proposed(shelf) == {"too_few_days": UNTOUCHED, "promotion_frozen": 1, "proposed": 1}

        assert Proposal.objects.get(created_at=NOW).payload["product_id"] == second.pk
