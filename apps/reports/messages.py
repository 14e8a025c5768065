"""Every message of the outbox, by its name: rendered when it is sent, in the recipient's language, as things stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import translation

from apps.notifications.models import OutboxMessage
from apps.reports.rendering import Button, Rendered

__all__ = ["MESSAGES", "Button", "Rendered", "render"]

Message = Callable[[OutboxMessage, datetime], Rendered]


def _named(message: OutboxMessage, now: datetime) -> Rendered:
    return Rendered(message.name)


MESSAGES: dict[str, Message] = dict.fromkeys(
    (
        "proposal_card",
        "verdict_card",
        "command_ended",
        "daily_report",
        "stock_alert",
        "clock_stopped",
        "queue_silent",
        "job_failed",
    ),
    _named,
)


def render(message: OutboxMessage, *, now: datetime) -> Rendered:
    """The message as it should read at `now` (business time). KeyError for a name that nobody renders."""
    with translation.override(message.person.language):
        return MESSAGES[message.name](message, now)
