"""Undoing a change for some minutes after it: when that is possible, and taking back what was not sent yet.

What was sent goes back through the gate like any change; `apps.experiments.lifecycle.undo` does both.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from apps.common.errors import Refused
from apps.decisions.approval import take_unsent
from apps.decisions.models import Command
from apps.notifications.outbox import retell
from apps.shops.audit import record


def flaw(command: Command, *, now: datetime) -> Refused | None:
    """Why the command cannot be undone, in words; None when it can."""
    if command.undo_by:
        return Refused(_("Already undone by %(who)s.") % {"who": command.undo_by.person})
    if command.proposal.reverses_id:
        return Refused(_("This is the way back itself; it is not undone."))
    if command.state in Command.LIVE:
        return None
    if command.state != Command.State.VERIFIED:
        return Refused(_("The change did not come about, so there is nothing to undo."))
    if command.undo_until is None or command.undo_until <= now:
        return Refused(_("It is too late to undo it. It can still be rolled back from its experiment."))
    return None


def withdraw(command: Command, *, now: datetime) -> bool:
    """Take back what was never sent. False when a send has begun, or may begin at this moment."""
    taken = take_unsent(command, state=Command.State.CANCELLED, problem={"code": "undone"}, now=now)
    if taken:
        record("command.cancelled", shop=command.shop, subject=command, code="undone")
    return taken


def close_windows(*, now: datetime) -> int:
    """Take the button off the cards whose time is over. Returns how many."""
    over = Command.objects.filter(undo_until__lte=now)
    cards = list(over.values_list("pk", "proposal_id"))
    for pk, proposal_id in cards:
        Command.objects.filter(pk=pk).update(undo_until=None)
        retell(f"proposal:{proposal_id}")
    return len(cards)
