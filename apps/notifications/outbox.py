"""Putting messages into the outbox, in the transaction of their cause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from apps.notifications.models import OutboxMessage
from apps.shops.models import Person, Seller
from apps.shops.roles import ALLOWED, Action, Role

CHANNEL = "vitrina_outbox"


def tell(
    *,
    name: str,
    key: str,
    seller: Seller,
    people: Iterable[Person],
    params: dict[str, object],
    subject: str = "",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> list[OutboxMessage]:
    """One message for each person, once for each `key`: telling twice does no harm.

    `params` are ids and days for the renderer; `subject` ("proposal:7") is what `retell` names later.
    """
    rows = [
        OutboxMessage(
            key=f"{key}:{person.pk}",
            seller=seller,
            person=person,
            name=name,
            params=params,
            subject=subject,
            due_at=due_at,
            expires_at=expires_at,
        )
        for person in people
    ]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    _announce()
    return rows


def retell(subject: str) -> int:
    """The subject changed: every copy of its messages is to be edited. Returns how many."""
    changed = (
        OutboxMessage.objects.filter(subject=subject)
        .exclude(state=OutboxMessage.State.DEAD)
        .update(wanted=F("wanted") + 1)
    )
    if changed:
        _announce()
    return changed


def postpone(*, subject: str, person: Person, until: datetime) -> None:
    """The person's card is put away now, and comes again, as a message of its own, when `until` has come."""
    card = OutboxMessage.objects.filter(subject=subject, person=person).order_by("-pk").first()
    if card is None:
        return
    OutboxMessage.objects.filter(pk=card.pk).update(put_off_until=until, wanted=F("wanted") + 1)
    tell(
        name=card.name,
        key=f"{subject}:again:{until.isoformat()}",
        seller=card.seller,
        people=[person],
        params=card.params,
        subject=subject,
        due_at=until,
    )


def people_who_may(seller: Seller, action: Action) -> list[Person]:
    """Members whose role allows `action` and who are linked to Telegram, in a stable order."""
    roles = [role for role in Role if action in ALLOWED[role]]
    return list(
        Person.objects.filter(members__seller=seller, members__role__in=roles, telegram_id__isnull=False)
        .select_related("user")
        .order_by("pk")
        .distinct()
    )


def _announce() -> None:
    """Wake the sender when the transaction commits (NOTIFY is transactional by itself)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"notify {CHANNEL}")
