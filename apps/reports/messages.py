"""Every message of the outbox, by its name: rendered when it is sent, in the recipient's language, as things stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from apps.notifications.models import OutboxMessage
from apps.reports.crm_notices import crm_unseen
from apps.reports.daily import daily_report
from apps.reports.notices import (
    clock_stopped,
    command_ended,
    job_failed,
    job_late,
    job_skipped,
    key_expires,
    key_problem,
    price_drift,
    queue_silent,
    stock_alert,
    too_few_people,
)
from apps.reports.proposal_card import proposal_card
from apps.reports.proposal_summary import proposal_summary
from apps.reports.rendering import Button, Rendered, Rows, fit
from apps.reports.verdict_card import verdict_card

__all__ = ["MESSAGES", "Button", "Rendered", "Rows", "render"]

MESSAGES: dict[str, Callable[[OutboxMessage, datetime], Rendered]] = {
    "proposal_card": proposal_card,
    "proposal_summary": proposal_summary,
    "verdict_card": verdict_card,
    "command_ended": command_ended,
    "price_drift": price_drift,
    "too_few_people": too_few_people,
    "daily_report": daily_report,
    "stock_alert": stock_alert,
    "job_failed": job_failed,
    "crm_unseen": crm_unseen,
    "key_expires": key_expires,
    "key_problem": key_problem,
    "job_late": job_late,
    "job_skipped": job_skipped,
    "queue_silent": queue_silent,
    "clock_stopped": clock_stopped,
}


def render(message: OutboxMessage, *, now: datetime) -> Rendered:
    """The message as it reads at `now` (business time). KeyError for a name that nobody renders."""
    with translation.override(message.person.language):
        rendered = MESSAGES[message.name](message, now)
        return _as_repeat(rendered) if message.is_repeat else rendered


def _as_repeat(rendered: Rendered) -> Rendered:
    """It is not known whether the first copy arrived: whoever sees two must not take them for two events."""
    line = _("Sent again: the first time may not have arrived.")
    return Rendered(fit(f"<i>{line}</i>\n\n{rendered.text}"), rendered.rows)
