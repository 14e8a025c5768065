"""The tokens behind buttons: opaque, for one person, good for one press of one card.

What comes back from a chat is whatever its sender likes to send; only a row that we made, for the person who presses,
unspent and unexpired, means anything. Token ages are real time; whether the thing itself may still be done is asked of
the function that does it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.common.errors import Refused
from apps.reports.messages import Button
from apps.shops.audit import record
from apps.shops.models import Person, Seller
from bots.models import ButtonToken

LIFE = timedelta(days=30)


class BadPress(Refused):
    """A button that means nothing, or nothing to this person."""


@dataclass(frozen=True)
class Press:
    """A press that was claimed: `action` with `params` in the name of `person` at `seller`."""

    person: Person
    seller: Seller
    action: str
    params: dict[str, Any]
    group: str


def mint(
    rows: Sequence[Sequence[Button]], *, person: Person, seller: Seller, group: str, now: datetime
) -> list[list[tuple[str, str]]]:
    """Fresh tokens for a card's buttons: rows of (label, token)."""
    tokens: list[ButtonToken] = []
    keyboard: list[list[tuple[str, str]]] = []
    for row in rows:
        keyboard.append([])
        for button in row:
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
            tokens.append(token)
            keyboard[-1].append((str(button.label), token.token))
    ButtonToken.objects.bulk_create(tokens)
    return keyboard


def claim(*, token: str, telegram_id: int, now: datetime) -> Press:
    """Spend a token, and with it the other buttons of its card. Raises `BadPress`, and leaves an audit row."""
    with transaction.atomic():
        refusal = _refusal(token, telegram_id, now)
        if refusal is None:
            row = ButtonToken.objects.select_related("person__user", "seller").get(pk=token)
            ButtonToken.objects.filter(group=row.group, person=row.person, used_at=None).update(used_at=now)
            return Press(row.person, row.seller, row.action, row.params, row.group)
    raise refusal


def give_back(press: Press) -> None:
    """The press was refused for now: the card's buttons work again."""
    ButtonToken.objects.filter(group=press.group, person=press.person).update(used_at=None)


def _refusal(token: str, telegram_id: int, now: datetime) -> BadPress | None:
    row = ButtonToken.objects.select_for_update().filter(pk=token[:32]).first()
    presser = Person.objects.filter(telegram_id=telegram_id).first()
    if row is None:
        reason, words = "unknown", _("This button means nothing to me.")
    elif presser is None or row.person_id != presser.pk:
        reason, words = "foreign", _("This button was made for somebody else.")
    elif row.used_at is not None:
        reason, words = "spent", _("This button was pressed already.")
    elif row.expires_at <= now:
        reason, words = "expired", _("This button is too old.")
    else:
        return None
    record(
        "button.refused",
        actor=presser,
        seller=row.seller if row else None,
        subject=f"telegram:{telegram_id}",
        reason=reason,
    )
    return BadPress(words)
