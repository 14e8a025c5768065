"""Many cards at once: approved at the same moment, enough products stay untouched to compare with; of many that are
sent, each has its own end."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from apps.decisions.approval import Objected
from apps.decisions.kinds import payload_of
from apps.decisions.models import Command, Proposal
from apps.marketplaces.standins.ozon_seller import price_import
from apps.marketplaces.standins.ozon_seller.gate import Account
from apps.marketplaces.standins.world import NewPrice
from apps.notifications.models import OutboxMessage
from apps.pricing.kinds import treated_products
from tests.faults.harness import Fleet
from tests.faults.trade import trade_of
from tests.threads import at_once

pytestmark = [pytest.mark.fault, pytest.mark.flow]

State = Command.State
WATCHED = "the price of this product is being watched"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("skus", "untouched"),
    [
        pytest.param(300, 150, id="half of them", marks=pytest.mark.slow),
        pytest.param(24, 15, id="fifteen of them"),
    ],
)
def test_cards_approved_all_at_once_leave_enough_controls(fleet: Fleet, skus: int, untouched: int) -> None:
    with trade_of(fleet, skus=skus) as trade:
        cards = trade.cards()
        assert len(cards) >= 0.9 * skus

        results = at_once(*[lambda card=card: trade.approve(card) for card in cards], most=4)

        commands = [result for result in results if isinstance(result, Command)]
        refusals = [str(result) for result in results if isinstance(result, Objected)]
        assert len(commands) == skus - untouched == len(treated_products(trade.live.shop, now=trade.now))
        assert len(commands) + len(refusals) == len(cards)
        figures = f"Only {untouched - 1} of {skus} products would stay untouched; {untouched} are needed"
        assert all(re.match(figures, refusal) for refusal in refusals)
        assert Proposal.objects.filter(state=Proposal.State.PENDING).count() == len(refusals)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_of_a_hundred_changes_the_three_that_are_refused_are_told_in_the_marketplaces_words(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trade_of(fleet, skus=220) as trade:
        commands = [trade.approve(card) for card in trade.cards(most=100)]
        refused = commands[10:100:40]
        refuse(monkeypatch, {payload_of(command).external_id for command in refused})
        for _ in range(2):
            trade.worker()

        states = Counter(trade.follow(*commands, within=300))

        assert states == {State.VERIFIED: 97, State.REJECTED: 3}
        told = OutboxMessage.objects.filter(name="command_ended").values_list("params__command", flat=True)
        assert sorted(told) == [command.pk for command in refused]
        for command in refused:
            assert trade.unchanged(command).outcomes == ["rejected"]
            assert WATCHED in trade.said(command)[0]
        assert len(trade.changes()) == 97


def refuse(monkeypatch: pytest.MonkeyPatch, product_ids: set[str]) -> None:
    """The marketplace takes no price for these products."""
    taken = price_import._checked

    def picky(account: Account, product: int, item: dict[str, Any]) -> NewPrice:
        if str(account.world.catalog.product_id[product]) in product_ids:
            raise price_import.ItemRefused("PRICE_IS_WATCHED", WATCHED)
        return taken(account, product, item)

    monkeypatch.setattr(price_import, "_checked", picky)
