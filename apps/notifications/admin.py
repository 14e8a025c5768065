"""The outbox, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from apps.notifications.models import OutboxMessage
from apps.shops.roles import Action
from apps.shops.scoped_admin import REAL_TIME, ScopedAdmin
from apps.shops.typed_unfold import display

State = OutboxMessage.State
COLORS = {
    State.PENDING: "info",
    State.SENDING: "info",
    State.SENT: "success",
    State.UNKNOWN: "warning",
    State.LOST: "danger",
    State.DEAD: "danger",
    State.EXPIRED: "danger",
}
"""All of them: a badge without a color shows the name in the code."""


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ScopedAdmin[OutboxMessage]):
    list_display = ["created_at", "name", "person", "state_badge", "attempts", "sent_at", "is_repeat"]
    list_select_related = ["person__user"]
    list_filter = ["seller", "state", "name"]
    view_action = Action.MANAGE
    list_note = REAL_TIME

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, message: OutboxMessage) -> tuple[str, str]:
        return message.state, message.get_state_display()
