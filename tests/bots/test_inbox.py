"""The inbox: every update once, in order within its chat, never lost and never tried for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.common.clock import real_now
from bots import inbox
from bots.inbox import BadUpdate
from bots.models import TelegramUpdate

pytestmark = pytest.mark.django_db


def said(update_id: int, *, chat: int = 1001, text: str = "hello") -> dict[str, Any]:
    return {
        "update_id": update_id,
        "message": {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "private"}, "text": text},
    }


def pressed(update_id: int, *, by: int = 1001, chat: int | None = 1001) -> dict[str, Any]:
    query: dict[str, Any] = {"id": "7", "from": {"id": by, "is_bot": False, "first_name": "A"}, "data": "x"}
    if chat is not None:
        query["message"] = {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "private"}}
    return {"update_id": update_id, "callback_query": query}


def test_the_same_update_is_kept_once_and_as_it_came_first() -> None:
    for text in ("first", "second", "third"):
        inbox.store(said(5, text=text))

    (row,) = TelegramUpdate.objects.all()
    assert row.raw == said(5, text="first")


def test_a_repeat_of_a_handled_update_is_not_handled_again() -> None:
    inbox.store(said(5))
    inbox.handled(5)

    inbox.store(said(5))

    assert inbox.take(1001) is None


def test_updates_of_a_chat_come_in_their_order_however_they_arrived() -> None:
    for number in (7, 5, 6):
        inbox.store(said(number))
    order = []
    while taken := inbox.take(1001):
        order.append(taken.update_id)
        inbox.handled(taken.update_id)

    assert order == [5, 6, 7]


def test_the_chat_that_waits_longest_is_first_and_those_in_hand_are_left_out() -> None:
    for number, chat in ((8, 1), (5, 2), (9, 2), (6, 3)):
        inbox.store(said(number, chat=chat))

    assert inbox.waiting_chats(but=[]) == [2, 3, 1]
    assert inbox.waiting_chats(but=[2]) == [3, 1]


@pytest.mark.parametrize(
    ("raw", "chat"),
    [
        (said(1, chat=-100), -100),
        (pressed(1, by=7, chat=8), 8),
        (pressed(1, by=7, chat=None), 7),
        ({"update_id": 1, "poll": {}}, 0),
    ],
)
def test_an_update_belongs_to_the_chat_it_came_from(raw: dict[str, Any], chat: int) -> None:
    inbox.store(raw)

    assert TelegramUpdate.objects.get().chat_id == chat


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"update_id": "1"},
        {"update_id": True},
        {"update_id": 1.0},
        {"update_id": 2**63},
        {"update_id": None, "message": {"chat": {"id": 1}}},
        {"update_id": 1, "message": "hello"},
        {"update_id": 1, "message": {"text": "no chat"}},
        {"update_id": 1, "message": {"chat": {"id": 10**30}}},
        {"update_id": 1, "callback_query": {"id": "1"}},
        said(1, text="a\x00b"),
        [],
        "update",
        None,
    ],
)
def test_garbage_is_refused_and_stored_nowhere(raw: Any) -> None:
    with pytest.raises(BadUpdate):
        inbox.store(raw)

    assert not TelegramUpdate.objects.exists()


def test_a_try_is_counted_before_it_begins() -> None:
    inbox.store(said(1))

    assert [inbox.take(1001).attempts for _ in range(2)] == [1, 2]  # type: ignore[union-attr]
    assert TelegramUpdate.objects.get().attempts == 2


def test_who_writes_faster_than_can_be_answered_is_not_listened_to_but_may_still_press(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "MOST_MESSAGES_WAITING", 3)
    for number in range(5):
        inbox.store(said(number))
    inbox.store(pressed(10))
    inbox.store(said(11, chat=2002))

    assert set(TelegramUpdate.objects.values_list("update_id", flat=True)) == {0, 1, 2, 10, 11}


def test_old_handled_updates_are_forgotten_and_waiting_ones_never() -> None:
    for number in (1, 2, 3):
        inbox.store(said(number))
    old = real_now() - timedelta(days=30)
    TelegramUpdate.objects.update(received_at=old)
    TelegramUpdate.objects.filter(pk=1).update(handled_at=old)
    inbox.handled(2)

    assert inbox.forget(before=real_now() - timedelta(days=7)) == 1
    assert set(TelegramUpdate.objects.values_list("update_id", flat=True)) == {2, 3}
