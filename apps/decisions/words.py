"""Why a change was not made, in words, in the active language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from apps.decisions.kinds import kinds

GATE: dict[str, str | Promise] = {
    "content_changed": _("The proposal was changed after it was shown; it can no longer be applied."),
    "account_changed": _("The shop's key is gone, or belongs to another account than the one this was approved for."),
    "value_moved": _("The value at the marketplace is no longer the one this was approved against."),
    "change_under_way": _("A change of the same product is being carried out; wait until it is done."),
    "stopped": _("The kill switch is on: nothing is sent."),
    "undone": _("It was undone before it was sent."),
    "undone_unapplied": _("It was undone; what was sent has not arrived, and is not sent again."),
    "too_few_people": _(
        "%(needed)s people would have to agree, and only %(may)s of the team may approve now. When there are enough of "
        "them, the next analysis asks again."
    ),
    "undo_denied": _("Whoever has pressed Undo may not decide any more."),
    "undo_failed": _("The way back did not come about; its own card says why."),
    "third_value": _("The marketplace shows neither the old value nor the new one: somebody else has changed it."),
    "never_applied": ngettext_lazy(
        "The marketplace accepted the change %(sends)s time and never applied it.",
        "The marketplace accepted the change %(sends)s times and never applied it.",
        "sends",
    ),
    "lease": _("There was no time left for the call; it is tried again."),
    "fruitless": _("It could not be carried out: one attempt after the other broke off. The log says why."),
    "MissingKey": "%(message)s",
    "MissingRole": _("The shop's key may not do this: %(message)s"),
    "WrongCredentials": _("The marketplace refuses the shop's key: %(message)s"),
}
RENEWED = _("It was computed anew: a new card has come.")
NOT_RENEWED = _("There is no new proposal now: %(why)s")
SAYS = _("The marketplace says: %(message)s")


def say(problem: Mapping[str, Any], *, kind: str, currency: str) -> str:
    """A stored problem (`code` with `figures`, or the marketplace's own `message`) as a sentence; "" for none."""
    code = problem.get("code", "")
    figures = problem.get("figures", {})
    if code in GATE:
        return str(GATE[code] % {**figures, "message": problem.get("message", "")})
    if problem.get("message"):
        return str(SAYS % {"message": problem["message"]})
    return kinds()[kind].say(code, figures, currency=currency) if code else ""


def say_renewal(outcome: Mapping[str, Any], *, kind: str, currency: str) -> str:
    """What followed when a proposal went out of date, as a sentence; "" where nothing was to follow."""
    if "renewed" in outcome:
        return str(RENEWED)
    if "not_renewed" in outcome:
        return str(NOT_RENEWED % {"why": say(outcome["not_renewed"], kind=kind, currency=currency)})
    return ""
