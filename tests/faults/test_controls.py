"""Many cards approved at the same moment: enough products stay untouched to compare with."""

from __future__ import annotations

import re

import pytest

from apps.decisions.approval import Objected
from apps.decisions.models import Command, Proposal
from apps.pricing.kinds import treated_products
from tests.faults.harness import Fleet
from tests.faults.trade import trade_of
from tests.threads import at_once

pytestmark = [pytest.mark.fault, pytest.mark.flow]


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
