"""The kill switch under load: two workers, fifty approved changes, and no send after the switch was turned."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from apps.decisions import switch
from apps.decisions.models import Command
from apps.notifications.models import OutboxMessage
from tests.faults.harness import Fleet, eventually
from tests.faults.trade import SEND, trade_of

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State
QUEUED, UNDISTURBED = 50, 5


@pytest.mark.slow
def test_no_send_begins_after_the_switch_was_turned(fleet: Fleet) -> None:
    with trade_of(fleet, skus=110) as trade:
        commands = [trade.approve(card) for card in trade.cards(most=QUEUED)]
        assert len(commands) == QUEUED
        for _ in range(2):
            trade.worker()
        trade.spoil(SEND, "hang_after_apply", delay=1, after_calls=UNDISTURBED)
        trade.tick()
        eventually(lambda: trade.is_spoilt(SEND), "a call is under way")

        switch.turn(on=True, shop=trade.live.shop, by=trade.owner.person)
        turned_at = time.time()

        states = Counter(trade.follow(*commands))
        calls = trade.calls(SEND)
        assert max(call["at"] for call in calls) < turned_at
        assert UNDISTURBED < len(calls) < QUEUED
        assert states == {State.VERIFIED: len(calls), State.CANCELLED: QUEUED - len(calls)}
        assert len(trade.changes()) == len(calls)
        cancelled = Command.objects.filter(state=State.CANCELLED)
        told = OutboxMessage.objects.filter(name="command_ended").values_list("params__command", flat=True)
        assert sorted(told) == sorted(cancelled.values_list("pk", flat=True))
        trade.unchanged(cancelled[0])
        assert "The kill switch is on: nothing is sent." in trade.said(cancelled[0])[0]
