"""Putting messages into the outbox, in the transaction of their cause."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from apps.notifications.models import OutboxMessage
from apps.shops.models import Person, Seller, members_who_may
from apps.shops.roles import Action

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
) -> int:
    """One message for each person, once for each `key`: telling twice does no harm. Returns how many are new.

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
    told_before = OutboxMessage.objects.filter(key__in=[row.key for row in rows]).count()
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    announce()
    return len(rows) - told_before


def retell(subject: str) -> int:
    """The subject changed: every copy of its messages is to be edited. Returns how many."""
    return render_anew(OutboxMessage.objects.filter(subject=subject))


@transaction.atomic
def render_anew(messages: QuerySet[OutboxMessage]) -> int:
    """What they would say has changed: those that a chat shows, or will, are to be edited. Returns how many."""
    live = messages.filter(state__in=OutboxMessage.LIVE)
    locked = list(live.select_for_update().order_by("pk").values_list("pk", flat=True))
    changed = OutboxMessage.objects.filter(pk__in=locked).update(wanted=F("wanted") + 1)
    if changed:
        announce()
    return changed


@transaction.atomic
def postpone(*, subject: str, person: Person, until: datetime, expires_at: datetime) -> None:
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
        expires_at=expires_at,
    )


def waiting(*, now: datetime) -> QuerySet[OutboxMessage]:
    """What is to be sent or edited by `now` (business time), to people who can be reached."""
    return OutboxMessage.objects.filter(
        Q(due_at=None) | Q(due_at__lte=now),
        state__in=OutboxMessage.LIVE,
        shown__lt=F("wanted"),
        person__telegram_id__isnull=False,
    )


def people_who_may(seller: Seller, action: Action) -> list[Person]:
    """Members whose role allows `action` and who are linked to Telegram, in a stable order."""
    members = members_who_may(seller, action).filter(person__telegram_id__isnull=False)
    return [member.person for member in members.select_related("person__user").order_by("person")]


def announce() -> None:
    """Wake the sender when the transaction commits: NOTIFY is transactional by itself."""
    with connection.cursor() as cursor:
        cursor.execute(f"notify {CHANNEL}")
