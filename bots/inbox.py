"""The inbox: an update is stored before Telegram hears "200", and leaves only when it was handled."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from django.db import DataError, connection, transaction
from django.db.models import F, Min
from pydantic import BaseModel, Field, ValidationError

from apps.common.clock import real_now
from bots.models import TelegramUpdate

log = logging.getLogger(__name__)

CHANNEL = "vitrina_inbox"
MAX_ATTEMPTS = 3
MOST_MESSAGES_WAITING = 100
"""Of one chat; a person who writes faster than the bot answers is not listened to. Presses are always taken."""

Id = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class Holder(BaseModel):
    id: Id


class Message(BaseModel):
    chat: Holder


class Query(BaseModel):
    sender: Holder = Field(alias="from")
    message: Message | None = None


class Incoming(BaseModel):
    """What must be right about an update before it is kept; PTB reads the rest when it is handled."""

    update_id: Id
    message: Message | None = None
    callback_query: Query | None = None

    @property
    def chat_id(self) -> int:
        """The chat whose order the update must keep; 0 for updates without one."""
        if self.callback_query:
            holder = self.callback_query.message
            return holder.chat.id if holder else self.callback_query.sender.id
        return self.message.chat.id if self.message else 0


class BadUpdate(ValueError):
    """Not an update: nothing was stored."""


@dataclass(frozen=True)
class Waiting:
    """An update that is to be handled; `attempts` counts the tries, this one included."""

    update_id: int
    chat_id: int
    raw: dict[str, Any]
    attempts: int


def store(raw: dict[str, Any]) -> None:
    """Keep one update as it came; one that is here already is left as it is. Raises `BadUpdate`."""
    try:
        incoming = Incoming.model_validate(raw)
    except ValidationError as error:
        raise BadUpdate(str(error)) from error
    if incoming.message and _is_flooded(incoming.chat_id):
        log.warning("chat %s writes faster than it can be answered", incoming.chat_id)
        return
    row = TelegramUpdate(update_id=incoming.update_id, chat_id=incoming.chat_id, raw=raw, received_at=real_now())
    try:
        with transaction.atomic():
            TelegramUpdate.objects.bulk_create([row], ignore_conflicts=True)
            with connection.cursor() as cursor:
                cursor.execute(f"notify {CHANNEL}")
    except DataError as error:  # a NUL in a text: PostgreSQL keeps none
        raise BadUpdate("an update that cannot be kept") from error


def waiting_chats(*, but: Collection[int]) -> list[int]:
    """Chats with unhandled updates, the longest waiting first, without those in hand."""
    unhandled = TelegramUpdate.objects.filter(handled_at=None).exclude(chat_id__in=list(but))
    oldest = unhandled.values("chat_id").annotate(first=Min("update_id")).order_by("first")
    return [row["chat_id"] for row in oldest[:100]]


def take(chat_id: int) -> Waiting | None:
    """The chat's oldest unhandled update. Its try is counted before it begins: one that kills the process counts."""
    row = TelegramUpdate.objects.filter(chat_id=chat_id, handled_at=None).order_by("update_id").first()
    if row is None:
        return None
    TelegramUpdate.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    return Waiting(row.update_id, row.chat_id, row.raw, row.attempts + 1)


def give_back(update_id: int) -> None:
    """A try that could not even begin does not count."""
    TelegramUpdate.objects.filter(pk=update_id).update(attempts=F("attempts") - 1)


def handled(update_id: int) -> None:
    TelegramUpdate.objects.filter(pk=update_id).update(handled_at=real_now())


def failed(update_id: int, error: str) -> None:
    TelegramUpdate.objects.filter(pk=update_id).update(error=error[:2000])


def forget(*, before: datetime) -> int:
    """Delete what was handled before that moment. Returns how many."""
    return TelegramUpdate.objects.filter(handled_at__lt=before).delete()[0]


def _is_flooded(chat_id: int) -> bool:
    waiting = TelegramUpdate.objects.filter(chat_id=chat_id, handled_at=None)
    return waiting[:MOST_MESSAGES_WAITING].count() >= MOST_MESSAGES_WAITING
