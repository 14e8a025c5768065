"""Messages small enough to see through: a note, and the card of a proposal of the small market."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.decisions.models import Proposal
from apps.notifications.models import OutboxMessage
from apps.reports import messages
from apps.reports.messages import Button, Rendered


def note(message: OutboxMessage, now: datetime) -> Rendered:
    """The text of its params."""
    return Rendered(message.params["text"])


def proposal_card(message: OutboxMessage, now: datetime) -> Rendered:
    """Its state, and the buttons while it waits."""
    proposal = Proposal.objects.get(pk=message.params["proposal"])
    text = f"Proposal {proposal.pk}: {proposal.state}, approvals {proposal.approvals.count()}"
    if message.put_off_until and message.put_off_until > now:
        return Rendered(f"{text}, put off")
    return Rendered(text, _buttons(proposal) if proposal.state == Proposal.State.PENDING else ())


def _buttons(proposal: Proposal) -> tuple[tuple[Button, ...], ...]:
    ids = {"proposal": proposal.pk}
    return (
        (Button("Apply", "proposal.approve", {**ids, "hash": proposal.payload_hash}),),
        (Button("Reject", "proposal.reject", ids), Button("Later", "proposal.later", ids)),
    )


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(messages.MESSAGES, "note", note)
    monkeypatch.setitem(messages.MESSAGES, "proposal_card", proposal_card)
