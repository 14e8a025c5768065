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
