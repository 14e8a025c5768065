"""A change and the marketplace's answers to it: lost, late, empty, refused. One worker carries out all of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.common.clock import real_now
from apps.decisions import executor
from apps.decisions.approval import AlreadyDecided
from apps.decisions.kinds import payload_of
from apps.decisions.models import Attempt, Command
from apps.marketplaces.standins.world import NewPrice
from apps.shops.roles import Role
from tests import cast
from tests.faults.harness import eventually, never
from tests.faults.trade import READ, SEND, Trade
from tests.threads import at_once

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State
NEVER_APPLIED_READS = 3 * executor.MAX_WRITES


@pytest.fixture(scope="module", autouse=True)
def _worker(shared_trade: Trade) -> None:
    shared_trade.worker()


def product_of(trade: Trade, command: Command) -> int:
    """The world's index of the product that a command is about."""
    index = trade.live.standins.of.world.catalog.of_product_id(int(payload_of(command).external_id))
    assert index is not None
    return index


@pytest.mark.parametrize(
    ("kind", "options", "outcome"),
    [
        ("502_after_apply", {}, "unknown"),
        pytest.param("truncated_json", {}, "unknown", marks=pytest.mark.slow),
        pytest.param("reset_after_apply", {}, "unknown", marks=pytest.mark.slow),
        ("hang_after_apply", {"delay": 30}, "unknown"),
        pytest.param("drip", {"delay": 0.2}, "unknown", marks=pytest.mark.slow),
        ("wrong_content_type", {}, "accepted"),
    ],
)
def test_an_answer_lost_after_the_price_changed_is_not_asked_for_twice(
    trade: Trade, kind: str, options: dict[str, float], outcome: str
) -> None:
    command = trade.approved()
    trade.spoil(SEND, kind, **options)
    trade.run(command)
    trade.follow(command, ticking=False)

    story = trade.changed_once(command)
    assert len(story.calls) == 1
    assert story.outcomes == [outcome]


@pytest.mark.parametrize(
    "kind", ["html", pytest.param("500", marks=pytest.mark.slow), pytest.param("reset", marks=pytest.mark.slow)]
)
def test_a_send_that_came_to_nothing_is_repeated_once_the_old_price_was_read_back(trade: Trade, kind: str) -> None:
    command = trade.approved()
    trade.spoil(SEND, kind)
    trade.run(command)
    trade.follow(command, ticking=False)

    story = trade.changed_once(command)
    assert len(story.calls) == 2
    assert story.outcomes == ["unknown", "accepted"]


def test_a_price_that_arrives_late_is_waited_for(trade: Trade) -> None:
    command = trade.approved()
    trade.spoil(SEND, "late_apply", delay=0.5)
    trade.run(command)
    trade.follow(command, ticking=False)

    assert trade.changed_once(command).calls == [200]


@pytest.mark.slow
def test_updated_without_effect_is_never_called_verified(trade: Trade) -> None:
    command = trade.approved()
    trade.spoil(SEND, "no_effect", times=None)

    ended = trade.live.carry_out(command)

    story = trade.unchanged(command)
    assert story.state == State.NEEDS_HUMAN
    assert story.calls == [200] * executor.MAX_WRITES
    assert ended.reads == NEVER_APPLIED_READS - 1
    (words,) = trade.said(command)
    assert f"accepted the change {executor.MAX_WRITES} times and never applied it" in words


@pytest.mark.slow
def test_too_many_requests_are_waited_out_and_keep_the_quota(trade: Trade) -> None:
    command = trade.approved()
    trade.spoil(SEND, "429", retry_after=2)
    trade.run(command)
    trade.follow(command, ticking=False)

    story = trade.changed_once(command)
    assert story.calls == [429, 200]
    assert story.outcomes == ["not_applied", "accepted"]
    first, second = [call["at"] for call in trade.calls() if call["status"] in (429, 200)][-2:]
    assert second - first >= 2


@pytest.mark.slow
def test_a_used_up_quota_is_waited_for(trade: Trade) -> None:
    command = trade.approved()
    (account,) = trade.live.standins.of.accounts
    product = product_of(trade, command)
    account.price_updates[product] = [account.world.clock.moment()] * 10
    trade.run(command)
    eventually(Attempt.objects.filter(command=command, outcome="not_applied").exists, "the send is refused")

    trade.tick()
    never(lambda: len(trade.story(command).calls) > 1, "it is sent again at once", during=1)
    waiting = Command.objects.get(pk=command.pk)
    assert waiting.due_at > real_now() + timedelta(minutes=10)
    assert "limit exceeded" in waiting.problem["message"]

    account.price_updates[product] = []
    Command.objects.filter(pk=command.pk).update(due_at=real_now())
    trade.follow(command)
    assert trade.changed_once(command).outcomes == ["not_applied", "accepted"]


def test_a_price_that_somebody_changed_meanwhile_is_left_alone_and_the_approver_hears(trade: Trade) -> None:
    command = trade.approved()
    world = trade.live.standins.of.world
    product = product_of(trade, command)
    by_hand = int(world.price[product]) + 7_00
    world.write_price(NewPrice(product, by_hand))
    trade.run(command)

    assert trade.follow(command, ticking=False) == [State.CANCELLED]
    story = trade.story(command)
    assert (story.calls, story.experiments, len(story.changes)) == ([], 0, 1)
    assert int(world.price[product]) == by_hand
    (words,) = trade.said(command)
    assert "Not sent; the price was not changed." in words
    assert "The price at the marketplace is now" in words


def test_prices_that_are_suddenly_a_hundred_times_as_large_stop_the_send(trade: Trade) -> None:
    command = trade.approved()
    trade.spoil(READ, "kopecks")
    trade.run(command)

    assert trade.follow(command, ticking=False) == [State.CANCELLED]
    assert trade.unchanged(command).calls == []
    assert "mistake of the unit" in trade.said(command)[0]


def test_two_people_who_press_at_once_and_copies_of_the_message_make_one_change(trade: Trade) -> None:
    olga = cast.member(trade.owner.seller, "Olga", Role.APPROVER)
    proposal = trade.proposal()

    results = at_once(*[lambda by=by: trade.approve(proposal, by=by) for by in [trade.owner, olga] * 4])

    (command,) = [result for result in results if isinstance(result, Command)]
    refusals = [str(result) for result in results if isinstance(result, AlreadyDecided)]
    who = proposal.approvals.get().member.person
    assert refusals == [f"Already approved by {who}."] * 7
    trade.run(command, command, command)
    trade.follow(command)
    assert trade.changed_once(command).calls == [200]


def test_what_was_changed_stands_in_the_shop_as_in_the_marketplace(trade: Trade) -> None:
    """Last: over all that went wrong above, both sides hold the same prices."""
    verified = Command.objects.filter(state=State.VERIFIED)
    assert verified.exists()
    for command in verified:
        payload = payload_of(command)
        shown = trade.live.world.price_of(payload.external_id)
        assert command.seen is not None
        assert shown == payload.price == Decimal(command.seen["price"])
