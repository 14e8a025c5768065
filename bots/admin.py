"""The inbox of Telegram updates: the installation's own matter."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.shops.scoped_admin import SuperuserOnly
from bots.models import TelegramUpdate

SHOWN = ("update_id", "chat_id", "received_at", "handled_at", "attempts", "error")


@admin.register(TelegramUpdate)
class TelegramUpdateAdmin(SuperuserOnly[TelegramUpdate]):
    """Without what people wrote: times, attempts and errors are enough to see why an update hangs."""

    list_display = SHOWN[:-1]
    fields = SHOWN
    readonly_fields = SHOWN

    def has_add_permission(self, request: HttpRequest, obj: TelegramUpdate | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TelegramUpdate | None = None) -> bool:
        return False
