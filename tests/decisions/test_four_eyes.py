"""Above a limit two people decide: by the step, by the money, by how many products were changed today."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.decisions.approval import Objected, approve, close_hopeless
from apps.decisions.four_eyes import tell_too_few
from apps.decisions.models import Command, DecisionRules, Proposal
from apps.notifications.models import OutboxMessage
from apps.shops.models import AuditEntry, Member, Shop
from apps.shops.roles import Role
from tests.cast import anna, member
from tests.decisions.markets import NOON, Market, offer, step
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def yes(proposal: Proposal, by: Member, **options: Any) -> Command | None:
    return approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=by, **{"now": NOON, **options})


def shop_of(owner: Member) -> Shop:
    shop: Shop = owner.seller.shops.get()
    return shop


def rules(owner: Member, **limits: Any) -> DecisionRules:
    return DecisionRules.objects.create(shop=shop_of(owner), **limits)


@pytest.fixture
def olga(owner: Member) -> Member:
    return member(owner.seller, "Olga", Role.APPROVER)


@pytest.mark.parametrize(("limit", "needed"), [("0.09", 2), ("0.10", 1), (None, 1)])
def test_a_step_above_the_limit_needs_two(
    owner: Member, market: Market, olga: Member, limit: str | None, needed: int
) -> None:
    """The step is a tenth."""
    rules(owner, two_above_step_rate=limit and Decimal(limit))

    assert offer(shop_of(owner)).needed == needed


@pytest.mark.parametrize(("worst", "needed"), [("-49", 1), ("-51", 2), ("51", 2)])
def test_money_above_the_limit_needs_two(owner: Member, market: Market, olga: Member, worst: str, needed: int) -> None:
    rules(owner, two_above_money=50)
    proposal = offer(shop_of(owner))
    Proposal.objects.update(worst_case=Decimal(worst))

    assert (yes(proposal, owner) is None) == (needed == 2)


def test_unknown_money_may_be_any_money(owner: Member, market: Market, olga: Member) -> None:
    rules(owner, two_above_money=50)
    proposal = offer(shop_of(owner))
    Proposal.objects.update(effect=None)

    assert yes(proposal, owner) is None


def test_the_same_person_twice_is_one_person(owner: Member, market: Market, olga: Member) -> None:
    rules(owner, two_above_step_rate=Decimal("0.05"))
    proposal = offer(shop_of(owner))

    assert yes(proposal, owner) is None
    assert yes(proposal, owner) is None
    assert not Command.objects.exists()
    assert yes(proposal, olga) is not None


def test_who_may_not_approve_any_more_does_not_count(owner: Member, market: Market, olga: Member) -> None:
    rules(owner, two_above_step_rate=Decimal("0.05"))
    proposal = offer(shop_of(owner))
    yes(proposal, olga)
    petr = member(owner.seller, "Petr", Role.APPROVER)
    olga.role = Role.VIEWER
    olga.save()

    assert yes(proposal, owner) is None
    assert yes(proposal, petr) is not None


def test_a_limit_set_after_the_card_holds_for_it_too(owner: Member, market: Market, olga: Member) -> None:
    proposal = offer(shop_of(owner))
    rules(owner, two_above_step_rate=Decimal("0.05"))

    assert yes(proposal, owner) is None


def test_so_many_products_a_day_are_one_persons_to_decide(owner: Member, market: Market, olga: Member) -> None:
    rules(owner, two_above_products=2)
    first, second, third = (offer(shop_of(owner), name=name) for name in ("tea", "coffee", "cocoa"))

    assert yes(first, owner) is not None
    assert yes(second, owner) is not None
    assert yes(third, owner) is None
    third.refresh_from_db()
    assert third.needed == 2
    assert yes(third, olga) is not None


def test_another_look_at_a_product_of_today_is_not_one_more(owner: Member, market: Market) -> None:
    rules(owner, two_above_products=1)
    yes(offer(shop_of(owner)), owner)

    assert yes(offer(shop_of(owner), value=120), owner) is not None


def test_the_next_day_begins_anew(owner: Member, market: Market) -> None:
    rules(owner, two_above_products=1)
    yes(offer(shop_of(owner)), owner)
    proposal = offer(shop_of(owner), name="coffee")

    assert yes(proposal, owner, now=NOON + timedelta(hours=13)) is not None


def test_another_shops_decisions_do_not_count(owner: Member, market: Market) -> None:
    rules(owner, two_above_products=1)
    proposal = offer(shop_of(owner))
    yes(offer(Shop.objects.create(seller=owner.seller, name="Second", timezone="Europe/Moscow")), owner)

    assert yes(proposal, owner) is not None


def test_going_back_never_waits_for_a_second_person(owner: Member, market: Market, olga: Member) -> None:
    rules(owner, two_above_step_rate=Decimal("0.05"), two_above_money=1, two_above_products=0)
    done = offer(shop_of(owner), needed=1)
    Proposal.objects.filter(pk=done.pk).update(state=Proposal.State.APPROVED)
    command = Command.objects.create(
        proposal=done, shop=done.shop, kind="value", target="value:tea", payload=done.payload,
        payload_hash=done.payload_hash, account="101", state=Command.State.VERIFIED, created_at=NOON, due_at=NOON,
    )  # fmt: skip
    back = offer(shop_of(owner), value=100, was=110, reverses=command)

    queued = yes(back, owner)

    assert queued is not None
    market.values["tea"] = 110
    assert step(queued).state == Command.State.SENT


class TestATeamOfOne:
    """The others have left, or may not approve any more, after the rules were set."""

    @pytest.fixture
    def waiting(self, owner: Member, market: Market, olga: Member) -> Proposal:
        rules(owner, two_above_step_rate=Decimal("0.05"))
        return offer(shop_of(owner))

    def leaves(self, member: Member) -> None:
        Member.objects.filter(pk=member.pk).update(role=Role.VIEWER)

    def test_a_card_that_needs_two_is_closed_and_says_why(self, waiting: Proposal, olga: Member) -> None:
        yes(waiting, olga)
        self.leaves(olga)

        assert close_hopeless(now=NOON) == 1
        assert close_hopeless(now=NOON) == 0

        waiting.refresh_from_db()
        assert (waiting.state, waiting.decided_at) == (Proposal.State.STALE, NOON)
        assert waiting.outcome == {"code": "too_few_people", "figures": {"needed": 2, "may": 1}}
        assert AuditEntry.objects.get(action="proposal.stale").data == waiting.outcome

    def test_those_who_may_approve_are_told_once_a_day(self, waiting: Proposal, owner: Member, olga: Member) -> None:
        self.leaves(olga)
        close_hopeless(now=NOON)
        tell_too_few(waiting.shop, 7, now=NOON)

        (message,) = OutboxMessage.objects.filter(name="too_few_people")
        assert (message.person, message.params) == (owner.person, {"shop": waiting.shop_id, "count": 1})

    def test_one_yes_is_not_taken_for_two(self, waiting: Proposal, owner: Member, olga: Member) -> None:
        self.leaves(olga)

        with pytest.raises(Objected, match="2 people would have to agree, and only 1 of the team may approve now"):
            yes(waiting, owner)

        assert not Command.objects.exists()
        assert not waiting.approvals.exists()

    def test_nothing_that_needs_two_is_proposed(self, waiting: Proposal, owner: Member, olga: Member) -> None:
        self.leaves(olga)

        with pytest.raises(Objected):
            offer(shop_of(owner), name="coffee")

        member(owner.seller, "Petr", Role.APPROVER)
        assert offer(shop_of(owner), name="coffee").needed == 2

    def test_cards_that_one_may_decide_on_stay(self, owner: Member, market: Market) -> None:
        card = offer(shop_of(owner))

        assert close_hopeless(now=NOON) == 0

        assert yes(card, owner) is not None

    def test_as_long_as_there_are_two_a_card_stays(self, waiting: Proposal) -> None:
        assert close_hopeless(now=NOON) == 0

    def test_a_change_too_many_today_is_refused_and_waits_for_tomorrow(self, owner: Member, market: Market) -> None:
        rules(owner, two_above_products=1)
        yes(offer(shop_of(owner)), owner)
        second = offer(shop_of(owner), name="coffee")

        with pytest.raises(Objected):
            yes(second, owner)

        assert yes(second, owner, now=NOON + timedelta(hours=13)) is not None


class TestTheRules:
    def test_two_cannot_be_asked_for_where_one_may_approve(self, owner: Member) -> None:
        member(owner.seller, "Viktor", Role.ANALYST)
        with pytest.raises(ValidationError, match="only one member of the team may approve"):
            DecisionRules(shop=shop_of(owner), two_above_money=100).full_clean()

    def test_they_can_where_two_may(self, owner: Member, olga: Member) -> None:
        asked = DecisionRules(shop=shop_of(owner), two_above_money=100)
        asked.full_clean()
        assert asked.asks_for_two

    def test_a_closed_login_is_nobody(self, owner: Member, olga: Member) -> None:
        olga.person.user.is_active = False
        olga.person.user.save()
        with pytest.raises(ValidationError):
            DecisionRules(shop=shop_of(owner), two_above_products=3).full_clean()

    def test_without_limits_one_is_enough(self, owner: Member) -> None:
        unlimited = DecisionRules(shop=shop_of(owner))
        unlimited.full_clean()
        assert not unlimited.asks_for_two


@pytest.mark.django_db(transaction=True)
def test_of_five_products_approved_at_once_no_more_pass_than_one_person_may(market: Market) -> None:
    owner = anna()
    olga = member(owner.seller, "Olga", Role.APPROVER)
    rules(owner, two_above_products=3)
    proposals = [offer(shop_of(owner), name=f"tea {number}") for number in range(5)]

    results = at_once(
        *[
            lambda proposal=proposal, by=by: yes(proposal, by)
            for proposal, by in zip(proposals, [owner, olga, owner, olga, owner], strict=True)
        ]
    )

    assert sum(isinstance(result, Command) for result in results) == 3
    assert results.count(None) == 2
    assert Command.objects.count() == 3
    assert Proposal.objects.filter(state=Proposal.State.PENDING, needed=2).count() == 2
