"""The outbox from the sender's side: what goes next, and what is known of it afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from apps.common.clock import real_now
from apps.decisions.approval import reject, show
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import postpone, retell, tell
from apps.reports import messages
from apps.shops.models import Member
from bots import cards as outgoing
from bots.cards import Card
from bots.models import ButtonToken
from tests.cast import member
from tests.decisions.markets import NOON, Market, offer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cards")]

State = OutboxMessage.State
ANNA = 1001
REPEATED = "<i>Sent again: the first time may not have arrived.</i>\n\nhello"


def told(owner: Member, text: str = "hello", **options: Any) -> OutboxMessage:
    tell(name="note", key=text, seller=owner.seller, people=[owner.person], params={"text": text}, **options)
    return OutboxMessage.objects.get(key__startswith=f"{text}:")


def claimed(now: datetime = NOON, chat: int = ANNA) -> Card:
    card = outgoing.claim(chat, now=now)
    assert card is not None
    return card


def after_a_while(message: OutboxMessage) -> None:
    """Its lease, or its rest, has run out."""
    OutboxMessage.objects.filter(pk=message.pk).update(lease_until=real_now() - timedelta(seconds=1))


def state_of(message: OutboxMessage) -> State:
    message.refresh_from_db()
    return State(message.state)


def waiting() -> list[int]:
    return outgoing.waiting_chats(now=NOON, but=[])


def test_a_message_is_rendered_when_it_is_sent_and_is_then_done_with(owner: Member) -> None:
    message = told(owner)
    assert waiting() == [ANNA]

    card = claimed()
    assert (card.text, card.chat_id, card.message_ids) == ("hello", ANNA, ())
    assert state_of(message) == State.SENDING
    outgoing.shown(card, [501])

    assert (state_of(message), message.message_ids, message.shown) == (State.SENT, [501], 1)
    assert message.sent_at is not None
    assert waiting() == []


def test_what_is_in_hand_is_not_taken_twice(owner: Member) -> None:
    told(owner)
    claimed()

    assert waiting() == []
    assert outgoing.claim(ANNA, now=NOON) is None


def test_a_change_of_the_subject_is_an_edit_with_the_same_buttons(owner: Member, market: Market) -> None:
    proposal = offer(owner.seller.shops.get())
    show(proposal)
    first = claimed()
    outgoing.shown(first, [501])
    retell(f"proposal:{proposal.pk}")

    edit = claimed()

    assert (edit.message_ids, edit.keyboard, edit.version) == ((501,), first.keyboard, 2)
    outgoing.shown(edit, [501])
    assert waiting() == []


def test_every_text_that_was_shown_is_kept_once(owner: Member, market: Market) -> None:
    proposal = offer(owner.seller.shops.get())
    show(proposal)
    for reason in ("sent", "nothing new", "rejected"):
        if reason == "rejected":
            reject(proposal_id=proposal.pk, by=owner, now=NOON)
        outgoing.shown(claimed(), [501])
        retell(f"proposal:{proposal.pk}")
    message = OutboxMessage.objects.get(name="proposal_card")
    assert [shown["text"] for shown in message.texts] == [
        f"Proposal {proposal.pk}: pending, approvals 0",
        f"Proposal {proposal.pk}: rejected, approvals 1",
    ]


def test_a_text_that_did_not_go_through_is_not_kept(owner: Member) -> None:
    message = told(owner)
    outgoing.not_sent(claimed(), "no network")
    message.refresh_from_db()
    assert message.texts == []


def test_a_change_during_the_sending_is_shown_by_an_edit_after_it(owner: Member) -> None:
    message = told(owner, subject="note:1")
    card = claimed()
    retell("note:1")

    outgoing.shown(card, [501])

    assert (state_of(message), message.shown, message.wanted) == (State.SENT, 1, 2)
    assert claimed().message_ids == (501,)


def test_edits_go_before_new_messages_and_old_ones_before_young(owner: Member) -> None:
    told(owner, "first", subject="note:1")
    outgoing.shown(claimed(), [501])
    told(owner, "second")
    told(owner, "third")
    retell("note:1")

    order = []
    while card := outgoing.claim(ANNA, now=NOON):
        order.append(card.text)
        outgoing.shown(card, [500])

    assert order == ["first", "second", "third"]


def test_people_who_left_telegram_hold_up_nobody(owner: Member) -> None:
    told(owner)
    owner.person.telegram_id = None
    owner.person.save()

    assert waiting() == []


def test_what_is_due_later_waits_in_business_time(owner: Member) -> None:
    told(owner, due_at=NOON + timedelta(hours=2))

    assert waiting() == []
    assert outgoing.claim(ANNA, now=NOON) is None
    assert outgoing.waiting_chats(now=NOON + timedelta(hours=2), but=[]) == [ANNA]


def test_what_is_too_old_to_be_sent_is_not_sent(owner: Member) -> None:
    message = told(owner, expires_at=NOON)

    assert waiting() == []
    assert state_of(message) == State.EXPIRED


def test_what_was_sent_is_still_edited_after_its_time(owner: Member) -> None:
    message = told(owner, subject="note:1", expires_at=NOON + timedelta(hours=1))
    outgoing.shown(claimed(), [501])
    retell("note:1")

    assert outgoing.waiting_chats(now=NOON + timedelta(days=1), but=[]) == [ANNA]
    assert state_of(message) == State.SENT


def test_an_unclear_send_goes_once_more_marked_as_a_repeat(owner: Member, settings: Settings) -> None:
    settings.OUTBOX_REPEAT_SECONDS = 120
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")
    assert (state_of(message), waiting()) == (State.UNKNOWN, [])
    assert 100 < (message.lease_until - real_now()).total_seconds() <= 120  # type: ignore[operator]
    after_a_while(message)

    again = claimed()

    assert again.text == REPEATED
    outgoing.shown(again, [502])
    assert (state_of(message), message.is_repeat, message.message_ids) == (State.SENT, True, [502])


def test_an_unclear_repeat_is_not_repeated(owner: Member) -> None:
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")
    after_a_while(message)
    outgoing.unclear(claimed(), "TimedOut")
    after_a_while(message)

    assert waiting() == []
    assert state_of(message) == State.LOST


def test_a_sender_that_died_with_a_message_in_hand_may_have_sent_it(owner: Member) -> None:
    message = told(owner)
    claimed()
    after_a_while(message)

    assert claimed().text == REPEATED
    after_a_while(message)
    assert outgoing.claim(ANNA, now=NOON) is None
    assert state_of(message) == State.LOST


def test_an_unclear_edit_is_made_again_and_is_no_repeat(owner: Member) -> None:
    message = told(owner, subject="note:1")
    outgoing.shown(claimed(), [501])
    retell("note:1")
    outgoing.unclear(claimed(), "TimedOut")
    assert state_of(message) == State.SENT
    after_a_while(message)

    assert (claimed().text, message.is_repeat) == ("hello", False)


def test_what_certainly_was_not_sent_is_no_repeat_the_next_time(owner: Member) -> None:
    message = told(owner)
    for _ in range(3):
        outgoing.not_sent(claimed(), "ConnectError")
        assert (state_of(message), waiting()) == (State.PENDING, [])
        after_a_while(message)

    assert claimed().text == "hello"


def test_a_repeat_that_certainly_was_not_sent_may_still_be_sent(owner: Member) -> None:
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")
    after_a_while(message)
    outgoing.not_sent(claimed(), "ConnectError")
    assert (state_of(message), message.is_repeat) == (State.UNKNOWN, False)
    after_a_while(message)

    assert claimed().text == REPEATED


def test_what_was_not_sent_rests_longer_each_time(owner: Member) -> None:
    message = told(owner)
    rests = []
    for _ in range(12):
        outgoing.not_sent(claimed(), "ConnectError")
        message.refresh_from_db()
        rests.append(round((message.lease_until - real_now()).total_seconds()))  # type: ignore[operator]
        after_a_while(message)

    assert rests == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_a_dead_message_is_neither_sent_nor_edited(owner: Member) -> None:
    message = told(owner, subject="note:1")
    outgoing.dead(claimed(), "Forbidden")

    assert retell("note:1") == 0
    assert waiting() == []
    assert (state_of(message), message.error) == (State.DEAD, "Forbidden")


def test_a_deleted_card_is_sent_anew(owner: Member) -> None:
    message = told(owner, subject="note:1")
    outgoing.shown(claimed(), [501])
    retell("note:1")
    outgoing.deleted(claimed())

    anew = claimed()

    assert (anew.message_ids, anew.text) == ((), "hello")
    outgoing.shown(anew, [502])
    assert (state_of(message), message.message_ids) == (State.SENT, [502])


def test_a_press_shows_where_an_unconfirmed_copy_is(owner: Member) -> None:
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")

    outgoing.seen_in(f"outbox:{message.pk}", 501)

    assert (state_of(message), message.message_ids) == (State.SENT, [501])
    edit = claimed()
    assert (edit.text, edit.message_ids) == ("hello", (501,))


def test_both_copies_of_a_repeat_are_edited_once_both_are_known(owner: Member) -> None:
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")
    after_a_while(message)
    outgoing.shown(claimed(), [502])

    outgoing.seen_in(f"outbox:{message.pk}", 501)
    outgoing.seen_in(f"outbox:{message.pk}", 501)

    assert set(claimed().message_ids) == {501, 502}


def test_a_copy_found_while_another_is_sent_is_not_forgotten(owner: Member) -> None:
    message = told(owner)
    outgoing.unclear(claimed(), "TimedOut")
    after_a_while(message)
    repeat = claimed()
    outgoing.seen_in(f"outbox:{message.pk}", 501)

    outgoing.shown(repeat, [502])

    assert set(claimed().message_ids) == {501, 502}


@pytest.mark.parametrize("group", ["", "answer:settings:ab12", "outbox:999999"])
def test_a_press_on_anything_else_tells_the_outbox_nothing(owner: Member, group: str) -> None:
    outgoing.seen_in(group, 501)

    assert not OutboxMessage.objects.exists()


def test_a_message_that_cannot_be_rendered_stops_neither_others_nor_itself_for_ever(
    owner: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(message: OutboxMessage, now: datetime) -> messages.Rendered:
        ButtonToken.objects.create(
            token="x", person=message.person, seller=message.seller, created_at=now, expires_at=now
        )
        raise ZeroDivisionError("a defect")

    monkeypatch.setitem(messages.MESSAGES, "broken", broken)
    tell(name="broken", key="b", seller=owner.seller, people=[owner.person], params={})
    bad, good = OutboxMessage.objects.get(), told(owner)

    assert outgoing.claim(ANNA, now=NOON) is None
    assert claimed().pk == good.pk
    for _ in range(outgoing.MOST_FAILED_RENDERINGS - 1):
        after_a_while(bad)
        assert outgoing.claim(ANNA, now=NOON) is None
    assert (state_of(bad), bad.error, bad.is_repeat) == (State.DEAD, "ZeroDivisionError('a defect')", False)
    assert not ButtonToken.objects.exists()
    assert "cannot be rendered" in caplog.text


def test_a_card_put_off_comes_again_as_a_message_of_its_own(owner: Member, market: Market) -> None:
    show(proposal := offer(owner.seller.shops.get()))
    outgoing.shown(claimed(), [501])
    until = NOON + timedelta(hours=2)
    postpone(subject=f"proposal:{proposal.pk}", person=owner.person, until=until, expires_at=proposal.expires_at)

    put_off = claimed()
    assert (put_off.text.endswith("put off"), put_off.keyboard, put_off.message_ids) == (True, [], (501,))
    outgoing.shown(put_off, [501])
    assert waiting() == []

    again = claimed(until)
    assert (again.message_ids, len(again.keyboard)) == ((), 2)


def test_a_card_put_off_and_decided_meanwhile_does_not_come_again(owner: Member, market: Market) -> None:
    show(proposal := offer(owner.seller.shops.get()))
    outgoing.shown(claimed(), [501])
    until = NOON + timedelta(hours=2)
    postpone(subject=f"proposal:{proposal.pk}", person=owner.person, until=until, expires_at=proposal.expires_at)
    reject(proposal_id=proposal.pk, by=member(owner.seller, "Olga"), now=NOON)

    outgoing.shown(claimed(until), [501])

    assert outgoing.claim(ANNA, now=until) is None
    assert state_of(OutboxMessage.objects.latest("pk")) == State.EXPIRED


def test_a_card_put_off_never_comes_after_its_expiry(owner: Member, market: Market) -> None:
    show(proposal := offer(owner.seller.shops.get()))
    outgoing.shown(claimed(), [501])
    postpone(
        subject=f"proposal:{proposal.pk}",
        person=owner.person,
        until=proposal.expires_at - timedelta(minutes=1),
        expires_at=proposal.expires_at,
    )
    outgoing.shown(claimed(), [501])

    assert outgoing.waiting_chats(now=proposal.expires_at, but=[]) == []
    assert state_of(OutboxMessage.objects.latest("pk")) == State.EXPIRED
