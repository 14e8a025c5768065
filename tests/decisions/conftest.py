from __future__ import annotations

import pytest

from apps.decisions.approval import approve
from apps.decisions.models import Command
from apps.shops.models import Member
from tests.decisions.markets import NOON, Market, market, offer

__all__ = ["market"]


@pytest.fixture
def command(owner: Member, market: Market) -> Command:
    """Approved, and not yet sent."""
    proposal = offer(owner.seller.shops.get())
    queued = approve(proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=owner, now=NOON)
    assert queued is not None
    return queued
