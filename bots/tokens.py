"""The tokens behind buttons: opaque, for one person in one chat, good for one press of one card.

What comes back from a chat is whatever its sender likes to send; only a row that we made, for the person who presses,
unspent and unexpired, means anything. Token ages are real time; whether the thing itself may still be done is asked of
the function that does it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.reports.messages import Button
from apps.shops.models import Person, Seller
from bots.models import ButtonToken
from bots.speech import Keyboard

LIFE = timedelta(days=30)
LONGEST_TOKEN = 32

REFUSALS: dict[str, Promise] = {
    "unknown": _("This button means nothing to me."),
    "foreign": _("This button was made for somebody else."),
    "elsewhere": _("This button works only in the chat it was sent to."),
    "spent": _("This button was pressed already."),
    "expired": _("This button is too old."),
}


def mint(rows: Sequence[Sequence[Button]], *, person: Person, seller: Seller, group: str, now: datetime) -> Keyboard:
    """The tokens of a card's buttons: rows of (label, token). A button that the card has already keeps its token."""
    unspent = ButtonToken.objects.filter(group=group, person=person, used_at=None, expires_at__gt=now)
    known = {_meaning(row.action, row.params): row.token for row in unspent}
    fresh: list[ButtonToken] = []
    for button in (button for row in rows for button in row):
        meaning = _meaning(button.action, button.params)
        if meaning not in known:
            token = ButtonToken(
                token=secrets.token_urlsafe(16),
                person=person,
                seller=seller,
                action=button.action,
                params=dict(button.params),
                group=group,
                created_at=now,
                expires_at=now + LIFE,
            )
            fresh.append(token)
            known[meaning] = token.token
    ButtonToken.objects.bulk_create(fresh)
    return [[(button.label, known[_meaning(button.action, button.params)]) for button in row] for row in rows]


def find(token: str) -> ButtonToken | None:
    """The button of a press, locked until the transaction ends."""
    buttons = ButtonToken.objects.select_for_update(of=("self",)).select_related("person__user", "seller")
    return buttons.filter(pk=token).first() if len(token) <= LONGEST_TOKEN and "\x00" not in token else None


def flaw(button: ButtonToken | None, *, presser: Person | None, chat_id: int | None, now: datetime) -> str:
    """Why the press counts for nothing, a key of `REFUSALS`; "" when it counts."""
    if button is None:
        return "unknown"
    if presser is None or button.person_id != presser.pk:
        return "foreign"
    if chat_id != presser.telegram_id:
        return "elsewhere"
    if button.used_at is not None:
        return "spent"
    return "expired" if button.expires_at <= now else ""


def spend(button: ButtonToken, *, now: datetime) -> None:
    """The press has done something: the whole card is spent."""
    ButtonToken.objects.filter(group=button.group, person=button.person_id, used_at=None).update(used_at=now)


def forget(*, before: datetime) -> int:
    """Delete what expired before that moment. Returns how many."""
    return ButtonToken.objects.filter(expires_at__lt=before).delete()[0]


def _meaning(action: str, params: Mapping[str, Any]) -> str:
    return json.dumps([action, dict(params)], sort_keys=True)
