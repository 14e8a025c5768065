"""The bot as people meet it: over real HTTP, with PostgreSQL behind."""

from __future__ import annotations

import pytest

from apps.decisions.approval import show
from apps.decisions.models import Command
from apps.shops.models import Member
from bots.process import BotProcess
from tests.bots.telegram import Messenger
from tests.decisions.markets import Market, offer

pytestmark = pytest.mark.usefixtures("cards")


def test_a_press_on_apply_approves_and_the_card_becomes_its_own_record(
    messenger: Messenger, bot: BotProcess, owner: Member, market: Market
) -> None:
    anna = messenger.joins(owner)
    show(proposal := offer(owner.seller.shops.get()))

    card = anna.sees(f"Proposal {proposal.pk}: pending")
    answer = anna.hears(anna.presses(card, "Apply"))

    assert answer["text"] == "Accepted, sending."
    record = anna.sees("approved")
    assert (record["id"], record["buttons"]) == (card["id"], [])
    assert Command.objects.get().proposal == proposal
    assert len(anna.messages()) == 1
