"""What is wrong is named, to the person who can right it, and nothing is left half done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
import stamina
from pytest_django import Settings

from apps.catalog.models import Cost, Product
from apps.common.clock import real_now
from apps.common.errors import Denied, NotFound, Refused
from apps.decisions.approval import Objected, approve, propose
from apps.decisions.kinds import Draft
from apps.decisions.models import Approval, Command, Proposal
from apps.jobs import by_hand, ledger
from apps.jobs.by_hand import Errand
from apps.jobs.models import JobRun, SyncRun
from apps.marketplaces.standins.faults import Fault, Kind
from apps.notifications.models import OutboxMessage
from apps.pricing.kinds import SetPrice, draft_of
from apps.pricing.models import PricingSettings
from apps.reports.alarms import tell_alarms
from apps.reports.messages import render
from apps.sales.models import Order
from apps.shops.models import AuditEntry, Credential, Member
from apps.shops.roles import Role
from bots.actions import press
from bots.tokens import mint
from tasks import runners
from tests import cast
from tests.flows.shop import API_KEY, LiveShop, live_shop
from tests.marketplaces.wire import closed_port

pytestmark = [pytest.mark.flow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def live(settings: Settings, empty_redis: redis.Redis) -> Iterator[LiveShop]:
    with stamina.set_testing(True, attempts=2), live_shop(settings, skus=25, history_days=20) as live:
        PricingSettings.objects.update(days_between_changes=1)  # every product is looked at on every day
        yield live


def sync_by_hand(live: LiveShop) -> JobRun:
    """What "run now" does, as often as a run is tried."""
    run = by_hand.start(Errand.of(job="ozon_sync", shop=live.shop, as_of=live.now), by=live.owner)
    for _ in range(ledger.MAX_ATTEMPTS):
        JobRun.objects.filter(pk=run.pk).update(due_at=real_now())
        runners.carry_out(run.pk)
    run.refresh_from_db()
    return run


def told_of(live: LiveShop, name: str = "job_failed") -> str:
    """What the owner reads about the failed run, or the refused key."""
    tell_alarms(now=live.now)
    return render(OutboxMessage.objects.get(name=name), now=live.now).text


def first_card(live: LiveShop) -> tuple[Proposal, dict[str, str]]:
    """The first proposal of the morning, and the tokens of its buttons in Anna's chat, by their labels."""
    live.sync()
    live.enter_costs()
    live.analyse()
    card = OutboxMessage.objects.filter(name="proposal_card", person=live.owner.person).earliest("pk")
    rows = render(card, now=live.now).rows
    keyboard = mint(rows, person=card.person, seller=card.seller, group=card.subject, now=real_now())
    return Proposal.objects.get(pk=card.params["proposal"]), {label: token for row in keyboard for label, token in row}


def yes(live: LiveShop, proposal: Proposal, *, by: Member, payload_hash: str = "") -> Command | None:
    return approve(proposal_id=proposal.pk, payload_hash=payload_hash or proposal.payload_hash, by=by, now=live.now)


def nothing_was_decided(proposal: Proposal) -> bool:
    proposal.refresh_from_db()
    return not (Command.objects.exists() or Approval.objects.exists())


def test_a_wrong_key_is_tried_once_and_named_to_the_owner(live: LiveShop) -> None:
    Credential.objects.update(secret="key-of-nobody")

    run = sync_by_hand(live)

    reason = "OZON Seller /v1/roles: HTTP 404: Invalid Api-Key, please check the key and try again"
    assert (run.state, run.attempt) == (JobRun.State.PLANNED, 0)
    assert run.error == f"The marketplace refuses the shop's key: {reason}"
    assert len(live.standins.of.frame.calls.of("ozon:*")) == 1
    assert Credential.objects.get().problem == reason
    assert "Invalid Api-Key" in told_of(live, "key_problem")
    assert not Product.objects.exists()
    with pytest.raises(Refused, match="data of this morning are not complete"):
        live.analyse()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client_id": "shop-101"}, "cannot be used: client_id must be a positive whole number."),
        ({"secret": "a key with blanks"}, "cannot be used: api_key must be printable ASCII without spaces"),
    ],
)
def test_a_key_that_cannot_be_one_is_not_even_sent(live: LiveShop, wrong: dict[str, str], words: str) -> None:
    Credential.objects.update(**wrong)

    run = sync_by_hand(live)

    assert run.state == JobRun.State.FAILED
    assert words in run.error
    assert API_KEY not in run.error
    assert not live.standins.of.frame.calls.of("ozon:*")


def test_a_shop_without_a_key_is_told_to_get_one(live: LiveShop) -> None:
    Credential.objects.all().delete()

    run = sync_by_hand(live)

    assert (run.state, run.attempt) == (JobRun.State.FAILED, 1)
    assert "has no key for OZON Seller API: add it to the shop." in run.error


def test_an_unreachable_marketplace_is_tried_again_and_then_named(live: LiveShop, settings: Settings) -> None:
    settings.OZON_API_URL = closed_port()

    run = sync_by_hand(live)

    assert (run.state, run.attempt) == (JobRun.State.FAILED, ledger.MAX_ATTEMPTS)
    assert run.error == "account: OZON Seller /v1/roles: no answer: cannot connect"
    assert "cannot connect" in told_of(live)
    assert Credential.objects.get().problem == "", "the key is not to blame"
    assert not Product.objects.exists()


@pytest.mark.slow
def test_malformed_rows_are_counted_and_cost_nobody_else_his_data(live: LiveShop) -> None:
    for path in ("/v3/product/list", "/v5/product/info/prices"):
        live.standins.of.frame.faults.add(Fault(f"ozon:{path}", Kind.ODD_ROW))

    run = sync_by_hand(live)

    assert run.state == JobRun.State.DONE
    spoilt = SyncRun.objects.get(bad_count__gt=0)
    assert (spoilt.source, spoilt.state, spoilt.received) == ("products", SyncRun.State.COMPLETE, 25)
    assert [row["reason"] for row in spoilt.bad_rows] == [
        "product_id: Value error, expected a whole number of 64 bits"
    ] * 2
    assert Product.objects.count() == 24
    assert Order.objects.exists()

    live.next_morning()
    assert Product.objects.filter(is_archived=False, price__isnull=False).count() == 25


@pytest.mark.slow
def test_absent_costs_are_counted_and_block_every_price_of_theirs(live: LiveShop) -> None:
    live.sync()
    live.enter_costs()
    unknown = Product.objects.filter(costs=None)
    assert unknown.count() == 2

    assert live.analyse()["unknown_terms"] == 2

    for product in unknown:
        assert product.price is not None
        draft = Draft(payload=draft_of(product, product.price + 10), currency=product.currency)
        with pytest.raises(Objected, match=r"Not known: unit cost.* Without it no floor can be computed"):
            propose(shop=live.shop, kind=SetPrice(), draft=draft, now=live.now, expires_at=live.now + timedelta(days=1))
    assert not Proposal.objects.filter(target__in=[f"price:{product.pk}" for product in unknown]).exists()


@pytest.mark.slow
def test_a_cost_that_becomes_unknown_after_the_card_stops_the_approval(live: LiveShop) -> None:
    proposal, _tokens = first_card(live)
    Cost.objects.filter(product=proposal.payload["product_id"]).delete()

    with pytest.raises(Objected, match="Not known: unit cost"):
        yes(live, proposal, by=live.owner)

    assert nothing_was_decided(proposal)


@pytest.mark.slow
def test_who_may_not_decide_decides_nothing(live: LiveShop) -> None:
    proposal, tokens = first_card(live)
    viewer = cast.member(live.owner.seller, "Viktor", Role.VIEWER, telegram_id=1003)

    with pytest.raises(Denied, match="Your role is “viewer”: it does not allow you to approve or reject changes"):
        yes(live, proposal, by=viewer)
    with pytest.raises(NotFound, match="There is no such thing in this seller's shops"):
        yes(live, proposal, by=cast.boris())
    for telegram_id, name in ((1003, "a viewer"), (2002, "another seller"), (666, "nobody we know")):
        outcome = press(token=tokens["Apply"], telegram_id=telegram_id, chat_id=telegram_id, now=live.now)
        assert (outcome.is_refusal, outcome.words) == (True, "This button was made for somebody else."), name

    assert nothing_was_decided(proposal)
    assert proposal.state == Proposal.State.PENDING
    refused = AuditEntry.objects.filter(action="button.refused", data__reason="foreign")
    assert sorted(refused.values_list("subject", flat=True)) == ["telegram:1003", "telegram:2002", "telegram:666"]


def test_a_forged_button_means_nothing(live: LiveShop) -> None:
    proposal, tokens = first_card(live)

    for forged in ("", f"approve:{proposal.pk}", tokens["Apply"][:-1], "0" * 22, "\x00", "x" * 500):
        outcome = press(token=forged, telegram_id=1001, chat_id=1001, now=live.now)
        assert (outcome.is_refusal, outcome.words) == (True, "This button means nothing to me.")

    assert nothing_was_decided(proposal)
    assert AuditEntry.objects.filter(action="button.refused", data__reason="unknown").count() == 6
    assert not press(token=tokens["Apply"], telegram_id=1001, chat_id=1001, now=live.now).is_refusal
    assert Command.objects.get().payload_hash == proposal.payload_hash


@pytest.mark.slow
def test_a_decision_on_other_content_than_was_shown_ends_the_proposal(live: LiveShop) -> None:
    proposal, _tokens = first_card(live)

    with pytest.raises(Objected, match="changed after it was shown"):
        yes(live, proposal, by=live.owner, payload_hash="0" * 64)

    assert nothing_was_decided(proposal)
    assert proposal.state == Proposal.State.STALE


@pytest.mark.slow
def test_content_that_was_changed_behind_our_back_is_not_sent(live: LiveShop) -> None:
    proposal, _tokens = first_card(live)
    command = yes(live, proposal, by=live.owner)
    assert command is not None
    Command.objects.update(payload={**command.payload, "price": str(Decimal(command.payload["price"]) * 2)})

    ended = live.carry_out(command)

    assert (ended.state, ended.problem["code"]) == (Command.State.CANCELLED, "content_changed")
    assert not live.standins.of.frame.calls.of("ozon:/v1/product/import/prices")
