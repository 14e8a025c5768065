"""The outbox seen from the sender: taking a message in hand, rendered, and noting what became of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Case, F, Min, Q, QuerySet, Value, When

from apps.common.clock import real_now
from apps.notifications import outbox
from apps.notifications.models import OutboxMessage
from apps.reports.messages import render
from apps.shops.models import Person
from bots.models import ButtonToken
from bots.speech import Keyboard
from bots.tokens import mint

log = logging.getLogger(__name__)

State = OutboxMessage.State
LONGEST_REST = timedelta(minutes=10)
MOST_FAILED_RENDERINGS = 5
MOST_SPOKEN_ANEW = 30
EDITS_FIRST = Case(When(shown__gt=0, then=Value(0)), default=Value(1))


@dataclass(frozen=True)
class Card:
    """A message in hand: HTML, buttons, the chat, the messages that show it already, and what it was before."""

    pk: int
    version: int
    chat_id: int
    text: str
    keyboard: Keyboard
    message_ids: Sequence[int]
    before: State
    attempts: int


def waiting_chats(*, now: datetime, but: Collection[int]) -> list[int]:
    """Chats with something to send or edit, the longest waiting first. `now` is business time, for what is due."""
    _expire(now)
    chats = _may_go(now).exclude(person__telegram_id__in=list(but)).values(chat_id=F("person__telegram_id"))
    return [row["chat_id"] for row in chats.annotate(first=Min("pk")).order_by("first")[:100]]


@transaction.atomic
def claim(chat_id: int, *, now: datetime) -> Card | None:
    """The chat's next message, rendered as things stand and leased. None when there is none just now."""
    message = (
        _may_go(now)
        .filter(person__telegram_id=chat_id)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("person__user", "seller")
        .order_by(EDITS_FIRST, "pk")
        .first()
    )
    if message is None:
        return None
    try:
        with transaction.atomic():
            return _prepare(message, chat_id, now)
    except DatabaseError:
        raise
    except Exception as error:  # of whatever kind: one message that is broken must not hold up the chat
        log.exception("message %s cannot be rendered", message.pk)
        is_over = message.attempts + 1 >= MOST_FAILED_RENDERINGS
        _put(message.pk, State.DEAD if is_over else State(message.state), _backoff(message.attempts), repr(error))
        return None


@transaction.atomic
def shown(card: Card, message_ids: Sequence[int]) -> None:
    """The chat shows this version of the card in these messages now."""
    message = OutboxMessage.objects.select_for_update().get(pk=card.pk)
    found_meanwhile = [one for one in message.message_ids if one not in card.message_ids]
    message.message_ids = [*message_ids, *found_meanwhile]
    message.state, message.lease_until, message.error = State.SENT, None, ""
    message.shown, message.attempts, message.sent_at = card.version, 0, real_now()
    if not message.texts or message.texts[-1]["text"] != card.text:
        message.texts.append({"at": message.sent_at.isoformat(), "text": card.text})
    message.save(
        update_fields=["message_ids", "state", "lease_until", "error", "shown", "attempts", "sent_at", "texts"]
    )


def deleted(card: Card) -> None:
    """No message in the chat shows the card any more: it is sent anew."""
    OutboxMessage.objects.filter(pk=card.pk).update(state=State.PENDING, shown=0, message_ids=[], lease_until=None)


def unclear(card: Card, error: str) -> None:
    """It may have arrived: an edit is made again, a message goes once more after a while, marked as a repeat."""
    if card.message_ids:
        not_sent(card, error)
    elif card.before == State.UNKNOWN:
        _put(card.pk, State.LOST, timedelta(0), error)
    else:
        _put(card.pk, State.UNKNOWN, timedelta(seconds=settings.OUTBOX_REPEAT_SECONDS), error)


def not_sent(card: Card, error: str, *, rest: timedelta | None = None) -> None:
    """It certainly did not arrive: it is again what it was, and goes after a rest."""
    _put(card.pk, card.before, _backoff(card.attempts) if rest is None else rest, error)
    OutboxMessage.objects.filter(pk=card.pk, state=State.UNKNOWN).update(is_repeat=False)


def dead(card: Card, error: str) -> None:
    """The chat is closed to us, or the message impossible."""
    _put(card.pk, State.DEAD, timedelta(0), error)


@transaction.atomic
def seen_in(group: str, message_id: int) -> None:
    """A button of the card was pressed in this message: it shows the card, even if that was never confirmed."""
    pk = _pk_of(group)
    message = OutboxMessage.objects.select_for_update().filter(pk=pk).first() if pk else None
    if message is None or message_id in message.message_ids:
        return
    message.message_ids = [*message.message_ids, message_id]
    message.wanted += 1
    if message.state in (State.UNKNOWN, State.LOST):
        message.state, message.lease_until = State.SENT, None
    message.save(update_fields=["message_ids", "wanted", "state", "lease_until"])
    outbox.announce()


def speak_anew(person: Person) -> int:
    """The person's language has changed: the newest cards that have buttons left are to be edited. Returns how many.

    No more of them than a chat takes in half a minute, for edits go before new messages; the others follow with their
    next change.
    """
    unspent = ButtonToken.objects.filter(person=person, used_at=None, expires_at__gt=real_now())
    shown_by = {_pk_of(group) for group in unspent.values_list("group", flat=True)} - {None}
    newest = OutboxMessage.objects.filter(pk__in=shown_by, person=person).order_by("-pk")[:MOST_SPOKEN_ANEW]
    return outbox.render_anew(OutboxMessage.objects.filter(pk__in=[message.pk for message in newest]))


def _prepare(message: OutboxMessage, chat_id: int, now: datetime) -> Card | None:
    real = real_now()
    before = _before(message)
    if before == State.UNKNOWN and message.is_repeat:  # the process died while it repeated the message
        _put(message.pk, State.LOST, timedelta(0), message.error)
        return None
    message.is_repeat |= before == State.UNKNOWN
    rendered = render(message, now=now)
    if message.due_at and message.subject and not message.shown and not rendered.rows:
        _put(message.pk, State.EXPIRED, timedelta(0), "put off, and decided meanwhile")
        return None
    message.state = State.SENDING
    message.lease_until = real + timedelta(seconds=settings.OUTBOX_REPEAT_SECONDS)
    message.save(update_fields=["state", "lease_until", "is_repeat"])
    return Card(
        pk=message.pk,
        version=message.wanted,
        chat_id=chat_id,
        text=rendered.text,
        keyboard=mint(rendered.rows, person=message.person, seller=message.seller, group=_group_of(message), now=real),
        message_ids=tuple(message.message_ids),
        before=before,
        attempts=message.attempts,
    )


def _before(message: OutboxMessage) -> State:
    """What a message in hand is, apart from being in hand: a lease that ran out says that its sender died."""
    if message.message_ids:
        return State.SENT
    return State.UNKNOWN if message.state in (State.SENDING, State.UNKNOWN) else State.PENDING


def _may_go(now: datetime) -> QuerySet[OutboxMessage]:
    """What waits and is neither in hand nor at rest."""
    return outbox.waiting(now=now).filter(Q(lease_until=None) | Q(lease_until__lte=real_now()))


def _expire(now: datetime) -> None:
    unsent = OutboxMessage.objects.filter(state=State.PENDING, shown=0, wanted__gt=F("shown"), expires_at__lte=now)
    unsent.update(state=State.EXPIRED)


def _put(pk: int, state: State, rest: timedelta, error: str) -> None:
    OutboxMessage.objects.filter(pk=pk).update(
        state=state, lease_until=real_now() + rest, error=error[:2000], attempts=F("attempts") + 1
    )


def _backoff(attempts: int) -> timedelta:
    return min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_REST)


def _group_of(message: OutboxMessage) -> str:
    return f"outbox:{message.pk}"


def _pk_of(group: str) -> int | None:
    kind, _, pk = group.partition(":")
    return int(pk) if kind == "outbox" else None
