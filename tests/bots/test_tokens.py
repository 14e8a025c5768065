"""Tokens: opaque, one person's, kept by the card's edits, spent together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.common.clock import real_now
from apps.reports.messages import Button
from apps.shops.models import Member
from bots import tokens
from bots.models import ButtonToken
from bots.speech import Keyboard
from tests.cast import anna, boris

pytestmark = pytest.mark.django_db

YES = Button("Apply", "proposal.approve", {"proposal": 7, "hash": "abc"})
NO = Button("Reject", "proposal.reject", {"proposal": 7})


def minted(*rows: tuple[Button, ...], who: Member, group: str = "outbox:1") -> Keyboard:
    return tokens.mint(rows, person=who.person, seller=who.seller, group=group, now=real_now())


def test_a_token_is_random_short_and_says_nothing() -> None:
    keyboard = minted((YES, NO), (NO,), who=anna())

    assert [[label for label, _token in row] for row in keyboard] == [["Apply", "Reject"], ["Reject"]]
    for token in ButtonToken.objects.values_list("token", flat=True):
        assert len(token) == 22  # 128 bits
        assert len(token.encode()) <= 64


def test_an_edit_keeps_the_tokens_of_the_buttons_it_keeps() -> None:
    owner = anna()
    (((_label, before),),) = minted((YES,), who=owner)

    ((_label, after), (_other, _fresh)) = minted((YES, NO), who=owner)[0]

    assert after == before


def test_however_often_a_card_is_edited_it_has_as_many_tokens_as_buttons() -> None:
    owner = anna()
    for _ in range(20):
        minted((YES,), (NO,), who=owner)

    assert ButtonToken.objects.count() == 2


def test_another_card_another_person_and_another_meaning_have_tokens_of_their_own() -> None:
    owner, other = anna(), boris()
    changed = Button("Apply", "proposal.approve", {"proposal": 7, "hash": "other"})
    rows = [
        minted((YES,), who=owner),
        minted((YES,), who=owner, group="outbox:2"),
        minted((YES,), who=other),
        minted((changed,), who=owner),
    ]

    assert len({row[0][0][1] for row in rows}) == 4


def test_a_spent_card_spends_its_own_buttons_only() -> None:
    owner = anna()
    minted((YES, NO), who=owner)
    minted((YES, NO), who=owner, group="outbox:2")

    tokens.spend(ButtonToken.objects.filter(group="outbox:1").earliest("token"), now=real_now())

    assert set(ButtonToken.objects.filter(used_at=None).values_list("group", flat=True)) == {"outbox:2"}


def test_a_card_that_asks_again_after_a_press_has_fresh_tokens() -> None:
    owner = anna()
    (((_label, before),),) = minted((YES,), who=owner)
    tokens.spend(ButtonToken.objects.get(), now=real_now())

    (((_label, after),),) = minted((YES,), who=owner)

    assert after != before


def test_what_expired_is_forgotten_in_time() -> None:
    owner, now = anna(), real_now()
    minted((YES, NO), who=owner)
    ButtonToken.objects.filter(action=YES.action).update(expires_at=now - timedelta(days=8))

    assert tokens.forget(before=now - timedelta(days=7)) == 1
    assert ButtonToken.objects.get().action == NO.action


@pytest.mark.parametrize("token", ["", "x" * 33, "a\x00b", "' or 1=1 --", "ж" * 32])
def test_what_a_chat_may_send_instead_of_a_token_is_no_button(token: str) -> None:
    minted((YES,), who=anna())

    assert tokens.find(token) is None
