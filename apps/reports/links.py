"""Addresses of the admin's pages, for messages that are read outside of it."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def decision_link(proposal_id: int) -> str:
    """The page that tells everything about a decision.

    A link in the text rather than a button: Telegram refuses a whole card for a button that leads to a laptop.
    """
    return f"{settings.DASHBOARD_URL}{reverse('admin:decisions_proposal_change', args=[proposal_id])}"
