"""The inbox: an update is stored before Telegram hears "200", and leaves only when it was handled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Min

from apps.common.clock import real_now
from bots.models import TelegramUpdate

CHANNEL = "vitrina_inbox"
MAX_ATTEMPTS = 3


class BadUpdate(ValueError):
    """Not an update: nothing was stored."""


@dataclass(frozen=True)
class Waiting:
    """An update that is to be handled; `attempts` counts the tries before this one."""

    update_id: int
    chat_id: int
    raw: dict[str, Any]
    attempts: int


def store(raw: object) -> bool:
    """Keep one update as it came. False when it is here already. Raises `BadUpdate`."""
    update_id = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(update_id, int) or isinstance(update_id, bool):
        raise BadUpdate("an update is an object with a whole number in update_id")
    row = TelegramUpdate(update_id=update_id, chat_id=_chat_of(raw), raw=raw, received_at=real_now())
    with transaction.atomic():
        before = TelegramUpdate.objects.filter(update_id=update_id).exists()
        TelegramUpdate.objects.bulk_create([row], ignore_conflicts=True)
        with connection.cursor() as cursor:
            cursor.execute(f"notify {CHANNEL}")
    return not before


def waiting_chats(*, but: Collection[int]) -> list[int]:
    """Chats with unhandled updates, the longest waiting first, without those in hand."""
    unhandled = TelegramUpdate.objects.filter(handled_at=None).exclude(chat_id__in=list(but))
    oldest = unhandled.values("chat_id").annotate(first=Min("update_id")).order_by("first")
    return [row["chat_id"] for row in oldest[:100]]


def next_of(chat_id: int) -> Waiting | None:
    row = TelegramUpdate.objects.filter(chat_id=chat_id, handled_at=None).order_by("update_id").first()
    return Waiting(row.update_id, row.chat_id, row.raw, row.attempts) if row else None


def handled(update_id: int) -> None:
    TelegramUpdate.objects.filter(update_id=update_id).update(handled_at=real_now())


def failed(update_id: int, error: str) -> bool:
    """Note a failure. True when it was the last try: the update is then given up, with its error kept."""
    TelegramUpdate.objects.filter(update_id=update_id).update(attempts=F("attempts") + 1, error=error[:2000])
    spent = TelegramUpdate.objects.filter(update_id=update_id, attempts__gte=MAX_ATTEMPTS)
    return bool(spent.update(handled_at=real_now()))


def _chat_of(raw: dict[str, Any]) -> int:
    """The chat whose order the update must keep; 0 for updates without one."""
    query = raw.get("callback_query")
    holder = query.get("message") if isinstance(query, dict) else raw.get("message")
    sender = query.get("from") if isinstance(query, dict) else None
    for place in (holder.get("chat") if isinstance(holder, dict) else None, sender):
        if isinstance(place, dict) and isinstance(place.get("id"), int):
            return int(place["id"])
    return 0
