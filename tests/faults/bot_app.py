"""The bot of the fault tests: the project's own, with the small market for a kind of change and small cards, or, where
REAL_CARDS is set, with its own."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402 - the settings come first

if not os.environ.get("REAL_CARDS"):
    settings.DECISION_KINDS = ("tests.decisions.markets.SetValue",)

from apps.reports import messages  # noqa: E402
from bots import process  # noqa: E402
from bots.asgi import app  # noqa: E402
from tests.bots.cards import note, proposal_card  # noqa: E402

__all__ = ["app"]

process.ALARM_SECONDS = 0.5
if not os.environ.get("REAL_CARDS"):
    messages.MESSAGES.update(note=note, proposal_card=proposal_card)
