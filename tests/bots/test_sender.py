"""What reaches the chats, through everything that Telegram may answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pytest_django import Settings

from apps.decisions.approval import approve, show
from apps.marketplaces.standins.telegram.person import Person
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import retell, tell
from apps.shops.models import Member
from apps.shops.roles import Role
from bots.process import BotProcess
from tests.bots.telegram import Messenger, polling_bot, until
from tests.cast import member
from tests.decisions.markets import NOON, Market, offer

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("cards")]

State = OutboxMessage.State
AGAIN = "Sent again: the first time may not have arrived."


@pytest.fixture
def anna(messenger: Messenger, owner: Member) -> Person:
    return messenger.joins(owner)


def told(owner: Member, text: str, **options: Any) -> OutboxMessage:
    tell(
        name="note",
        key=f"note-{text[:20]}",
        seller=owner.seller,
        people=[owner.person],
        params={"text": text},
        **options,
    )
    return OutboxMessage.objects.get(params__text=text)


def until_state(message: OutboxMessage, state: State) -> None:
    until(lambda: OutboxMessage.objects.filter(pk=message.pk, state=state).exists())


def texts(person: Person) -> list[str]:
    return [message["text"] for message in person.messages()]


def test_a_message_comes_as_html_and_its_change_as_an_edit(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    message = told(owner, "<b>Tea</b> &amp; sugar", subject="note:1")
    first = anna.sees("Tea & sugar")
    assert [entity["type"] for entity in first["entities"]] == ["bold"]

    OutboxMessage.objects.filter(pk=message.pk).update(params={"text": "Coffee"})
    retell("note:1")

    assert anna.sees("Coffee")["id"] == first["id"]
    assert len(anna.messages()) == 1


def test_everybody_who_may_decide_has_a_copy_and_every_copy_tells_the_end(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    people = [anna]
    for number, role in enumerate((Role.OWNER, Role.APPROVER), start=1002):
        people.append(messenger.joins(member(owner.seller, f"M{number}", role, telegram_id=number)))
    outsider = messenger.joins(member(owner.seller, "Vera", Role.VIEWER, telegram_id=1005))
    show(proposal := offer(owner.seller.shops.get()))
    copies = [person.sees("pending") for person in people]

    anna.presses(copies[0], "Apply")

    for person, copy in zip(people, copies, strict=True):
        record = person.sees("approved")
        assert (record["id"], record["buttons"]) == (copy["id"], [])
    assert outsider.messages() == []
    assert proposal.approvals.count() == 1


def test_no_message_is_lost_to_its_own_markup_or_length(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    told(owner, "<b>100 &lt; 200</b> <nonsense>& done")
    assert anna.sees("100 < 200")["text"] == "100 < 200 & done"

    told(owner, "long " * 2000)
    assert len(anna.sees("long")["text"]) > 4000


def test_a_chat_that_is_closed_or_unknown_is_told_nothing_more(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    anna.blocks()
    unknown = member(owner.seller, "Olga", telegram_id=1002)

    refused = told(owner, "hello")
    tell(name="note", key="o", seller=owner.seller, people=[unknown.person], params={"text": "to nobody"})

    until_state(refused, State.DEAD)
    until_state(OutboxMessage.objects.get(person=unknown.person), State.DEAD)
    refused.refresh_from_db()
    assert "blocked by the user" in refused.error
    assert len(messenger.calls("sendMessage")) == 2


def test_a_deleted_card_comes_anew(messenger: Messenger, bot: BotProcess, owner: Member, anna: Person) -> None:
    told(owner, "hello", subject="note:1")
    first = anna.sees("hello")
    anna.deletes(first)

    retell("note:1")

    assert anna.sees("hello", after=first["id"])["id"] != first["id"]
    assert len(anna.messages()) == 1


def test_an_edit_that_changes_nothing_is_done(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    message = told(owner, "hello", subject="note:1")
    anna.sees("hello")

    retell("note:1")

    until(lambda: OutboxMessage.objects.get(pk=message.pk).shown == 2)
    assert OutboxMessage.objects.get(pk=message.pk).error == ""


@pytest.mark.slow
def test_an_unclear_send_that_arrived_comes_once_more_and_says_so(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    for kind in ("502_after_apply", "reset_after_apply", "truncated_json", "hang_after_apply"):
        messenger.suffers("sendMessage", kind, delay=6)
        message = told(owner, kind)
        anna.sees(f"{AGAIN}\n\n{kind}")
        until_state(message, State.SENT)
        assert [text for text in texts(anna) if kind in text] == [kind, f"{AGAIN}\n\n{kind}"]


def test_an_unclear_send_that_did_not_arrive_is_not_lost(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    for kind in ("500", "html", "reset"):
        messenger.suffers("sendMessage", kind)
        told(owner, kind)
        anna.sees(f"{AGAIN}\n\n{kind}")
        assert [text for text in texts(anna) if kind in text] == [f"{AGAIN}\n\n{kind}"]


@pytest.mark.slow
def test_both_copies_of_a_repeat_lead_to_one_decision_and_both_are_edited(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    messenger.suffers("sendMessage", "502_after_apply")
    show(proposal := offer(owner.seller.shops.get()))
    anna.sees(AGAIN)
    first, second = anna.messages()
    assert first["buttons"] == second["buttons"]

    assert anna.hears(anna.presses(first, "Apply"))["text"] == "Accepted, sending."

    until(lambda: all("approved" in text for text in texts(anna)))
    assert [message["id"] for message in anna.messages()] == [first["id"], second["id"]]
    assert [message["buttons"] for message in anna.messages()] == [[], []]
    assert proposal.approvals.count() == 1


@pytest.mark.usefixtures("surroundings")
def test_a_press_on_the_unconfirmed_copy_makes_the_repeat_needless(
    messenger: Messenger, owner: Member, anna: Person, market: Market, settings: Any
) -> None:
    settings.OUTBOX_REPEAT_SECONDS = 60
    messenger.suffers("sendMessage", "502_after_apply")
    with polling_bot():
        show(offer(owner.seller.shops.get()))
        anna.presses(anna.sees("pending"), "Apply")
        anna.sees("approved")

    assert len(anna.messages()) == 1
    assert OutboxMessage.objects.get().state == State.SENT


def test_while_telegram_is_away_messages_wait_and_then_come_once(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    until_state(told(owner, "before"), State.SENT)
    messenger.suffers("*", "500", times=None)
    messages = [told(owner, f"note {number}") for number in range(5)]
    time.sleep(1)
    tried = len(messenger.calls("sendMessage")) - 1
    messenger.recovers()

    for message in messages:
        until_state(message, State.SENT)
    assert tried == 1, "after the first failure nothing is risked before Telegram answers"
    assert sorted(texts(anna)) == [f"{AGAIN}\n\nnote 0", "before", "note 1", "note 2", "note 3", "note 4"]


def test_a_revoked_token_loses_nothing(messenger: Messenger, bot: BotProcess, owner: Member, anna: Person) -> None:
    messenger.suffers("*", "revoked_key", times=None)
    message = told(owner, "hello")
    time.sleep(0.5)
    assert not texts(anna)
    messenger.recovers()

    until_state(message, State.SENT)
    assert texts(anna) == ["hello"]


@pytest.mark.slow
def test_the_flood_limit_is_kept_and_a_refusal_is_waited_out(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person, settings: Settings
) -> None:
    settings.CHAT_SECONDS = 1
    messenger.sets(flood=True)
    for number in range(3):
        told(owner, f"note {number}")
    with polling_bot():
        anna.sees("note 2")

    assert texts(anna) == ["note 0", "note 1", "note 2"]
    assert [call["status"] for call in messenger.calls("sendMessage")].count(429) in (1, 2)
    assert not OutboxMessage.objects.filter(is_repeat=True).exists()


@pytest.mark.slow
def test_a_slow_chat_holds_up_nobody_else(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person
) -> None:
    messenger.suffers("sendMessage", "hang_after_apply", delay=5)
    boris = member(owner.seller, "Boris", telegram_id=1002)
    other = messenger.joins(boris)
    slow = told(owner, "slow")
    tell(name="note", key="quick", seller=owner.seller, people=[boris.person], params={"text": "quick"})
    with polling_bot():
        other.sees("quick")
        slow.refresh_from_db()
        assert slow.state != State.SENT


def test_a_stop_finishes_what_is_in_hand(messenger: Messenger, surroundings: None, owner: Member, anna: Person) -> None:
    messenger.suffers("sendMessage", "drip", delay=0.005)
    message = told(owner, "hello")
    with polling_bot():
        anna.sees("hello")

    message.refresh_from_db()
    assert (message.state, message.is_repeat) == (State.SENT, False)


@pytest.mark.slow
def test_an_approval_elsewhere_while_telegram_is_away_is_told_when_it_is_back(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    show(proposal := offer(owner.seller.shops.get()))
    card = anna.sees("pending")
    messenger.suffers("*", "500", times=None)

    approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON)
    time.sleep(0.5)
    messenger.recovers()

    assert anna.sees("approved")["id"] == card["id"]
    assert len(anna.messages()) == 1
