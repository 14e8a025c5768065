"""Applying many cards with one word: asked once more, each through the gate, each with an outcome of its own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from apps.common.errors import Denied, NotFound, Refused
from apps.decisions.approval import approve
from apps.decisions.kinds import Objection
from apps.decisions.models import Batch, Command, DecisionRules, Proposal
from apps.decisions.together import apply, ask, fit_together, leave, show_summary
from apps.notifications.models import OutboxMessage
from apps.shops.models import AuditEntry, Member, Shop
from apps.shops.roles import Role
from tests.cast import anna, boris, member
from tests.decisions.markets import NOON, Market, offer
from tests.threads import at_once

pytestmark = pytest.mark.django_db

SOON = NOON + timedelta(minutes=1)
TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def shop(owner: Member) -> Shop:
    """Anna's, where cards that lose less than 100 a day in the worst case may be applied together."""
    return limited(owner)


def limited(owner: Member) -> Shop:
    shop: Shop = owner.seller.shops.get()
    DecisionRules.objects.create(shop=shop, together_worst=100)
    return shop


def card(shop: Shop, name: str, *, worst: str | None = "-50") -> Proposal:
    made = offer(shop, name=name)
    made.worst_case = Decimal(worst) if worst else None
    made.save()
    return made


def outcomes(batch: Batch) -> dict[str, str]:
    targets = dict(Proposal.objects.values_list("pk", "target"))
    return {targets[one["proposal"]].partition(":")[2]: one["code"] for one in batch.outcomes}


def answered(shop: Shop, by: Member) -> dict[str, str]:
    batch = ask(shop_id=shop.pk, by=by, now=NOON)
    return outcomes(apply(batch_id=batch.pk, by=by, now=SOON))


class TestWhatFits:
    @pytest.mark.parametrize(("worst", "fits"), [("-99.99", True), ("-100", False), ("20", True), (None, False)])
    def test_a_worst_case_better_than_the_limit(self, shop: Shop, market: Market, worst: str, fits: bool) -> None:
        card(shop, "tea", worst=worst)
        assert fit_together(shop, now=NOON).exists() == fits

    def test_nothing_where_no_limit_is_set(self, owner: Member, market: Market) -> None:
        shop = owner.seller.shops.get()
        card(shop, "tea")
        assert not fit_together(shop, now=NOON).exists()

    def test_nothing_that_has_expired(self, shop: Shop, market: Market) -> None:
        card(shop, "tea")
        assert not fit_together(shop, now=TOMORROW).exists()


class TestTheSummary:
    def test_the_approvers_are_told_once_a_day(self, shop: Shop, market: Market, owner: Member) -> None:
        member(owner.seller, "Vera", Role.ANALYST, telegram_id=5)
        card(shop, "tea"), card(shop, "coffee")
        for _ in range(2):
            show_summary(shop, now=NOON, expires_at=TOMORROW)

        told = OutboxMessage.objects.get()
        assert (told.person, told.name, told.expires_at) == (owner.person, "proposal_summary", TOMORROW)

    def test_one_card_needs_none(self, shop: Shop, market: Market) -> None:
        card(shop, "tea"), card(shop, "coffee", worst="-500")
        show_summary(shop, now=NOON, expires_at=TOMORROW)
        assert not OutboxMessage.objects.exists()


class TestTheQuestion:
    def test_it_holds_the_count_and_the_sums(self, shop: Shop, market: Market, owner: Member) -> None:
        fitting = [card(shop, "tea"), card(shop, "coffee", worst="-30")]
        card(shop, "cocoa", worst="-500")

        batch = ask(shop_id=shop.pk, by=owner, now=NOON)

        assert [one["proposal"] for one in batch.asked] == [one.pk for one in fitting]
        assert (batch.effect, batch.worst_case) == (Decimal(20), Decimal(-80))
        assert not Command.objects.exists()

    def test_a_no_leaves_every_card(self, shop: Shop, market: Market, owner: Member) -> None:
        proposal = card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)

        leave(batch_id=batch.pk, by=owner)

        proposal.refresh_from_db()
        assert proposal.state == Proposal.State.PENDING
        with pytest.raises(NotFound):
            apply(batch_id=batch.pk, by=owner, now=SOON)

    def test_it_is_not_asked_where_nothing_fits(self, shop: Shop, market: Market, owner: Member) -> None:
        with pytest.raises(Refused, match="nothing left"):
            ask(shop_id=shop.pk, by=owner, now=NOON)

    def test_only_who_may_approve_is_asked(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        with pytest.raises(Denied):
            ask(shop_id=shop.pk, by=member(owner.seller, "Vera", Role.ANALYST), now=NOON)
        with pytest.raises(NotFound):
            ask(shop_id=shop.pk, by=boris(), now=NOON)

    def test_nobody_answers_for_another(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)
        with pytest.raises(NotFound):
            apply(batch_id=batch.pk, by=member(owner.seller, "Olga", Role.APPROVER), now=SOON)

    def test_a_second_yes_is_refused(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)
        apply(batch_id=batch.pk, by=owner, now=SOON)
        with pytest.raises(Refused, match="answered already"):
            apply(batch_id=batch.pk, by=owner, now=SOON)


class TestTheOutcomes:
    def test_each_is_applied_with_an_approval_of_its_own(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea"), card(shop, "coffee")

        assert answered(shop, owner) == {"tea": "applied", "coffee": "applied"}

        assert Command.objects.filter(state=Command.State.QUEUED).count() == 2
        assert AuditEntry.objects.filter(action="proposal.approved", actor=owner.person).count() == 2

    def test_what_a_guardrail_forbids_is_refused_and_waits(self, shop: Shop, market: Market, owner: Member) -> None:
        proposal = card(shop, "tea")
        market.objection = Objection("too_bold")

        assert answered(shop, owner) == {"tea": "refused"}

        proposal.refresh_from_db()
        assert proposal.state == Proposal.State.PENDING
        assert Batch.objects.get().outcomes[0]["problem"] == {"code": "too_bold", "figures": {}}

    def test_what_has_moved_is_out_of_date(self, shop: Shop, market: Market, owner: Member) -> None:
        proposal = card(shop, "tea")
        market.moved = Objection("stock_gone", is_stale=True)

        assert answered(shop, owner) == {"tea": "stale"}

        proposal.refresh_from_db()
        assert proposal.state == Proposal.State.STALE

    def test_what_was_decided_on_since_is_left_out(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        proposal = card(shop, "coffee")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)
        approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON)

        assert outcomes(apply(batch_id=batch.pk, by=owner, now=SOON)) == {"tea": "applied", "coffee": "left_out"}

    def test_what_holds_something_else_than_was_asked_is_left_out(
        self, shop: Shop, market: Market, owner: Member
    ) -> None:
        proposal = card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)
        Proposal.objects.filter(pk=proposal.pk).update(payload_hash="0" * 64)

        assert outcomes(apply(batch_id=batch.pk, by=owner, now=SOON)) == {"tea": "left_out"}
        assert not Command.objects.exists()

    def test_what_came_after_the_question_is_not_in_it(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)
        card(shop, "coffee")

        assert outcomes(apply(batch_id=batch.pk, by=owner, now=SOON)) == {"tea": "applied"}

    def test_what_expired_over_the_question_is_left_out(self, shop: Shop, market: Market, owner: Member) -> None:
        card(shop, "tea")
        batch = ask(shop_id=shop.pk, by=owner, now=NOON)

        assert outcomes(apply(batch_id=batch.pk, by=owner, now=TOMORROW)) == {"tea": "left_out"}

    def test_so_many_as_one_person_may_pass_and_the_rest_waits_for_another(
        self, shop: Shop, market: Market, owner: Member
    ) -> None:
        DecisionRules.objects.update(two_above_products=1)
        member(owner.seller, "Olga", Role.APPROVER)
        card(shop, "tea"), card(shop, "coffee")

        assert sorted(answered(shop, owner).values()) == ["applied", "one_more"]


@pytest.mark.django_db(transaction=True)
def test_eight_answers_at_once_and_the_cards_own_buttons_make_one_command_each(market: Market) -> None:
    owner = anna()
    shop = limited(owner)
    olga = member(owner.seller, "Olga", Role.APPROVER)
    cards = [card(shop, f"tea {number}") for number in range(4)]
    batch = ask(shop_id=shop.pk, by=owner, now=NOON)
    own = [partial(approve, proposal_id=one.pk, payload_hash=one.payload_hash, by=olga, now=SOON) for one in cards[:2]]

    at_once(*[partial(apply, batch_id=batch.pk, by=owner, now=SOON)] * 6, *own)

    assert Command.objects.count() == 4
    batch.refresh_from_db()
    assert set(outcomes(batch).values()) <= {"applied", "left_out"}
