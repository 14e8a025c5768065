"""The outbox seen from the sender: claiming a message, preparing it, noting what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from apps.common.clock import real_now
from apps.notifications.models import OutboxMessage
from apps.reports.messages import render
from bots.tokens import mint

State = OutboxMessage.State
LONGEST_RETRY = timedelta(minutes=10)


@dataclass(frozen=True)
class Card:
    """A message ready to go: HTML, rows of (label, token), the chat, and the messages that show it already."""

    message_id: int
    version: int
    chat_id: int
    text: str
    keyboard: list[list[tuple[str, str]]]
    shown_as: list[int]
    is_repeat: bool


def due(*, now: datetime, limit: int = 50) -> list[int]:
    """Messages to send or edit now, one per person, the oldest first. `now` is business time, for what is due."""
    _expire(now)
    waiting = (
        OutboxMessage.objects.filter(_may_go(), Q(due_at=None) | Q(due_at__lte=now), shown__lt=F("wanted"))
        .order_by("person", "pk")
        .distinct("person")
        .values_list("pk", flat=True)
    )
    return sorted(waiting[:limit])


def claim(message_id: int, *, now: datetime) -> Card | None:
    """Take one message in hand and render it as things stand. None when it is no longer to be sent."""
    real = real_now()
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("person__user", "seller")
            .filter(_may_go(), pk=message_id, shown__lt=F("wanted"))
            .first()
        )
        if message is None or message.person.telegram_id is None:
            return None
        # An edit may be made twice, a message that may have arrived must say that it is a repeat.
        message.is_repeat = message.telegram_message_id is None and message.state in (State.UNKNOWN, State.SENDING)
        message.state = State.SENDING
        message.lease_until = real + timedelta(seconds=settings.OUTBOX_REPEAT_SECONDS)
        message.save(update_fields=["state", "lease_until", "is_repeat"])
    rendered = render(message, now=now)
    group = f"outbox:{message.pk}:{message.wanted}"
    return Card(
        message_id=message.pk,
        version=message.wanted,
        chat_id=message.person.telegram_id,
        text=rendered.text,
        keyboard=mint(rendered.rows, person=message.person, seller=message.seller, group=group, now=real),
        shown_as=_shown_as(message),
        is_repeat=message.is_repeat,
    )


def sent(card: Card, telegram_message_id: int | None) -> None:
    """The version of `card` is what the chat shows now; `telegram_message_id` is new when it was not an edit."""
    message = OutboxMessage.objects.get(pk=card.message_id)
    if telegram_message_id is not None:
        if message.telegram_message_id:
            message.earlier_message_ids = [*message.earlier_message_ids, message.telegram_message_id]
        message.telegram_message_id = telegram_message_id
    message.state, message.lease_until, message.error = State.SENT, None, ""
    message.shown, message.attempts, message.sent_at = card.version, 0, real_now()
    message.save(
        update_fields=[
            "state",
            "lease_until",
            "error",
            "shown",
            "attempts",
            "sent_at",
            "telegram_message_id",
            "earlier_message_ids",
        ]  # fmt: skip
    )


def unclear(card: Card) -> None:
    """It may have arrived: it goes once more, marked as a repeat, when some time has passed."""
    again = real_now() + timedelta(seconds=settings.OUTBOX_REPEAT_SECONDS)
    _put(card, State.UNKNOWN, again, "no answer from Telegram")


def not_sent(card: Card, error: str, *, retry_after: float | None = None) -> None:
    """It certainly did not arrive: again later."""
    attempts = OutboxMessage.objects.values_list("attempts", flat=True).get(pk=card.message_id)
    wait = timedelta(seconds=retry_after if retry_after is not None else 2 ** min(attempts, 9))
    state = State.UNKNOWN if card.is_repeat else State.PENDING
    _put(card, state, real_now() + min(wait, LONGEST_RETRY), error)


def dead(card: Card, error: str) -> None:
    """The chat is closed to us: nothing of this message will ever arrive."""
    _put(card, State.DEAD, None, error)


def shown_too(group: str, telegram_message_id: int) -> None:
    """A button of the card was pressed in this message: it shows the card, even if its sending was never confirmed."""
    kind, _, rest = group.partition(":")
    message = OutboxMessage.objects.filter(pk=int(rest.partition(":")[0])).first() if kind == "outbox" else None
    if message and telegram_message_id not in _shown_as(message):
        message.earlier_message_ids = [*message.earlier_message_ids, telegram_message_id]
        message.wanted += 1
        message.save(update_fields=["earlier_message_ids", "wanted"])


def gone(card: Card) -> None:
    """The message in the chat was deleted: the card is to be sent anew."""
    OutboxMessage.objects.filter(pk=card.message_id).update(
        telegram_message_id=None, earlier_message_ids=[], state=State.PENDING, lease_until=None
    )


def _put(card: Card, state: str, lease_until: datetime | None, error: str) -> None:
    OutboxMessage.objects.filter(pk=card.message_id).update(
        state=state, lease_until=lease_until, error=error[:2000], attempts=F("attempts") + 1
    )


def _may_go() -> Q:
    """Not in hand, not put aside: the lease of a message is also the moment before which it rests."""
    return ~Q(state__in=[State.DEAD, State.EXPIRED]) & (Q(lease_until=None) | Q(lease_until__lte=real_now()))


def _expire(now: datetime) -> None:
    OutboxMessage.objects.filter(_may_go(), expires_at__lte=now, telegram_message_id=None).update(state=State.EXPIRED)


def _shown_as(message: OutboxMessage) -> list[int]:
    """The messages in the chat that show it."""
    shown = [*message.earlier_message_ids, message.telegram_message_id]
    return [one for one in shown if one]
