"""Deciding on a proposal: once, by somebody who may, on what was shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.common.errors import Denied, NotFound
from apps.decisions.approval import AlreadyDecided, Objected, OutOfDate, approve, expire_due, reject
from apps.decisions.kinds import Objection, payload_of
from apps.decisions.models import Approval, Command, Proposal
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import tell
from apps.shops.models import AuditEntry, KillSwitch, Member, Shop
from apps.shops.roles import Role
from tests.cast import anna, boris, member
from tests.decisions.markets import NOON, Market, Setting, offer
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def yes(proposal: Proposal, by: Member) -> Command | None:
    return approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=by, now=NOON)


def shop_of(owner: Member) -> Shop:
    shop: Shop = owner.seller.shops.get()
    return shop


def test_an_approval_queues_one_command_with_the_shown_content(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    command = yes(proposal, owner)

    assert command is not None
    assert (command.state, command.target, command.account) == (Command.State.QUEUED, "value:tea", "101")
    assert payload_of(command) == Setting(name="tea", value=110, was=100)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.APPROVED
    assert [(one.member, one.verdict) for one in proposal.approvals.all()] == [(owner, Approval.Verdict.APPROVE)]


def test_what_the_guardrails_passed_is_kept_with_the_proposal_and_with_its_command(
    owner: Member, market: Market
) -> None:
    proposal = offer(shop_of(owner))
    command = yes(proposal, owner)

    assert command is not None
    proposal.refresh_from_db()
    assert proposal.checks == command.checks == [{"code": "calm", "figures": {"live": None}}]


def test_an_approval_that_a_guardrail_refuses_leaves_a_name_and_the_figures(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    market.objection = Objection("too_few_controls", {"left": 3})
    with pytest.raises(Objected):
        yes(proposal, owner)

    entry = AuditEntry.objects.get(action="proposal.objected", subject=f"decisions.proposal:{proposal.pk}")
    assert entry.actor == owner.person
    assert entry.data == {"code": "too_few_controls", "figures": {"left": 3}}


def test_it_refuses_a_second_approval_and_says_who_was_first(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    yes(proposal, owner)
    second = member(owner.seller, "Olga", Role.APPROVER)

    with pytest.raises(AlreadyDecided, match="Already approved by Anna"):
        yes(proposal, second)

    assert Command.objects.count() == 1


def test_a_rejection_ends_the_proposal(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    reject(proposal_id=proposal.pk, by=owner, now=NOON)

    with pytest.raises(AlreadyDecided, match="Already rejected by Anna"):
        yes(proposal, owner)
    assert not Command.objects.exists()


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_a_role_that_may_not_approve_is_told_so(owner: Member, market: Market, role: Role) -> None:
    proposal = offer(shop_of(owner))
    other = member(owner.seller, "Viktor", role)

    with pytest.raises(Denied, match="Your role is"):
        yes(proposal, other)
    with pytest.raises(Denied, match="Your role is"):
        reject(proposal_id=proposal.pk, by=other, now=NOON)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


def test_another_sellers_proposal_does_not_exist(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    with pytest.raises(NotFound):
        yes(proposal, boris())

    assert not Command.objects.exists()


def test_too_late_is_said_and_kept(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    with pytest.raises(AlreadyDecided, match="has expired"):
        approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON + timedelta(days=1))

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.EXPIRED
    assert not Command.objects.exists()


def test_expired_proposals_are_ended_and_others_left(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    assert expire_due(now=NOON) == 0
    assert expire_due(now=NOON + timedelta(days=2)) == 1
    assert expire_due(now=NOON + timedelta(days=2)) == 0

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.EXPIRED


def test_content_that_is_not_what_was_shown_is_refused(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))

    with pytest.raises(Objected, match="changed after it was shown"):
        approve(proposal_id=proposal.pk, payload_hash="0" * 64, by=owner, now=NOON)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.STALE


def test_a_payload_that_was_tampered_with_is_refused(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    Proposal.objects.filter(pk=proposal.pk).update(payload={"name": "tea", "value": 1, "was": 100})

    with pytest.raises(Objected, match="changed after it was shown"):
        yes(proposal, owner)

    assert not Command.objects.exists()


def test_a_guardrail_refuses_and_leaves_the_card_usable(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    market.objection = Objection("too_few_controls")

    with pytest.raises(Objected, match="too_few_controls"):
        yes(proposal, owner)
    market.objection = None

    assert yes(proposal, owner) is not None
    assert proposal.approvals.count() == 1


def test_moved_figures_make_it_stale_for_good(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    market.objection = Objection("price_moved", {"live": "120"}, is_stale=True)

    with pytest.raises(Objected, match="price_moved"):
        yes(proposal, owner)
    market.objection = None
    with pytest.raises(AlreadyDecided, match="figures have moved"):
        yes(proposal, owner)

    proposal.refresh_from_db()
    moved = {"code": "price_moved", "figures": {"live": "120"}}
    assert proposal.outcome == {**moved, "not_renewed": {"code": "too_quiet", "figures": {}}}


class TestFiguresThatMoved:
    @pytest.fixture(autouse=True)
    def _the_stock_has_moved(self, market: Market) -> None:
        market.moved = Objection("stock_gone", is_stale=True)

    def test_the_press_applies_nothing_and_says_why_nothing_follows(self, owner: Member, market: Market) -> None:
        proposal = offer(shop_of(owner))

        with pytest.raises(OutOfDate, match="objection: stock_gone There is no new proposal now: objection: too_quiet"):
            yes(proposal, owner)

        proposal.refresh_from_db()
        assert (proposal.state, proposal.approvals.count()) == (Proposal.State.STALE, 0)
        assert not Command.objects.exists()

    def test_a_new_proposal_takes_its_place_at_once(self, owner: Member, market: Market) -> None:
        proposal = offer(shop_of(owner))
        market.renewed = lambda stale: offer(stale.shop, value=105)

        with pytest.raises(OutOfDate, match="a new card has come"):
            yes(proposal, owner)

        fresh = Proposal.objects.get(state=Proposal.State.PENDING)
        proposal.refresh_from_db()
        assert (proposal.state, proposal.outcome["renewed"]) == (Proposal.State.STALE, fresh.pk)
        assert payload_of(fresh).value == 105

    def test_a_card_waits_for_as_long_as_everything_is_stopped(self, owner: Member, market: Market) -> None:
        proposal = offer(shop_of(owner))
        KillSwitch.objects.create(shop=proposal.shop, is_on=True)
        market.objection = Objection("stopped")

        with pytest.raises(Objected, match="kill switch"):
            yes(proposal, owner)

        proposal.refresh_from_db()
        assert proposal.state == Proposal.State.PENDING

    def test_changed_content_is_not_computed_anew(self, owner: Member, market: Market) -> None:
        proposal = offer(shop_of(owner))

        with pytest.raises(OutOfDate, match=r"can no longer be applied\.$"):
            approve(proposal_id=proposal.pk, payload_hash="0" * 64, by=owner, now=NOON)


def test_a_guardrail_forbids_to_propose(owner: Member, market: Market) -> None:
    market.objection = Objection("below_floor")

    with pytest.raises(Objected, match="below_floor"):
        offer(shop_of(owner))

    assert not Proposal.objects.exists()


def test_two_approvals_are_needed_where_two_are_asked_for(owner: Member, market: Market) -> None:
    second = member(owner.seller, "Olga", Role.APPROVER)
    proposal = offer(shop_of(owner), needed=2)

    assert yes(proposal, owner) is None
    assert yes(proposal, owner) is None
    assert yes(proposal, second) is not None

    assert proposal.approvals.count() == 2


def test_one_no_outweighs_a_yes(owner: Member, market: Market) -> None:
    second = member(owner.seller, "Olga", Role.APPROVER)
    proposal = offer(shop_of(owner), needed=2)
    yes(proposal, owner)

    reject(proposal_id=proposal.pk, by=second, now=NOON)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.REJECTED


def test_a_newer_proposal_takes_the_place_of_a_waiting_one(owner: Member, market: Market) -> None:
    older = offer(shop_of(owner), value=110)
    offer(shop_of(owner), value=120)

    with pytest.raises(AlreadyDecided, match="newer proposal"):
        yes(older, owner)


def test_a_newer_approval_supersedes_a_command_that_was_not_sent(owner: Member, market: Market) -> None:
    first = yes(offer(shop_of(owner), value=110), owner)
    second = yes(offer(shop_of(owner), value=120), owner)

    assert first is not None
    first.refresh_from_db()
    assert first.state == Command.State.SUPERSEDED
    assert second is not None
    assert second.state == Command.State.QUEUED


def test_a_command_under_way_is_not_overtaken(owner: Member, market: Market) -> None:
    first = yes(offer(shop_of(owner), value=110), owner)
    assert first is not None
    Command.objects.filter(pk=first.pk).update(state=Command.State.SENT, writes=1)

    with pytest.raises(Objected, match="being carried out"):
        yes(offer(shop_of(owner), value=120), owner)


def test_the_database_itself_allows_one_live_command_per_target(owner: Member, market: Market) -> None:
    first = yes(offer(shop_of(owner)), owner)
    assert first is not None
    twin = offer(shop_of(owner), value=130)

    with pytest.raises(IntegrityError), transaction.atomic():
        Command.objects.create(
            proposal=twin,
            shop=first.shop,
            kind="value",
            target=first.target,
            payload={},
            payload_hash="",
            account="",
            created_at=NOON,
            due_at=NOON,
        )


def test_every_copy_of_the_card_is_to_be_edited(owner: Member, market: Market) -> None:
    proposal = offer(shop_of(owner))
    people = [owner.person, member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002).person]
    tell(name="card", key="k", seller=owner.seller, people=people, params={}, subject=f"proposal:{proposal.pk}")

    yes(proposal, owner)

    assert list(OutboxMessage.objects.values_list("wanted", flat=True)) == [2, 2]


def test_every_decision_leaves_an_audit_row(owner: Member, market: Market) -> None:
    yes(offer(shop_of(owner)), owner)
    reject(proposal_id=offer(shop_of(owner), name="coffee").pk, by=owner, now=NOON)

    actions = list(AuditEntry.objects.order_by("id").values_list("action", "actor__user__first_name"))
    assert actions == [
        ("proposal.made", None),
        ("proposal.approved", "Anna"),
        ("command.queued", None),
        ("proposal.made", None),
        ("proposal.rejected", "Anna"),
    ]


@pytest.mark.django_db(transaction=True)
def test_eight_presses_at_once_make_one_command(market: Market) -> None:
    owner = anna()
    olga = member(owner.seller, "Olga", Role.APPROVER)
    proposal = offer(shop_of(owner))

    results = at_once(*[lambda by=by: yes(proposal, by) for by in [owner, olga] * 4])

    assert sum(isinstance(result, Command) for result in results) == 1
    assert sum(isinstance(result, AlreadyDecided) for result in results) == 7
    assert Command.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_a_yes_and_a_no_at_once_the_first_counts(market: Market) -> None:
    owner = anna()
    olga = member(owner.seller, "Olga", Role.APPROVER)
    proposal = offer(shop_of(owner))

    results = at_once(lambda: yes(proposal, owner), lambda: reject(proposal_id=proposal.pk, by=olga, now=NOON))

    assert sum(isinstance(result, AlreadyDecided) for result in results) == 1
    proposal.refresh_from_db()
    assert Command.objects.exists() == (proposal.state == Proposal.State.APPROVED)


def test_a_kind_is_found_by_its_key() -> None:
    from apps.decisions.kinds import kinds

    assert {key: kind.key for key, kind in kinds().items()} == {"price": "price"}
