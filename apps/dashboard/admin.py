"""The team's API tokens, to look at and to revoke (each person makes their own on a page of theirs), and milestones."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.clock import real_now
from apps.dashboard.models import ApiToken, Milestones
from apps.dashboard.tokens import revoke_token
from apps.shops.asking import person_of
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin
from apps.shops.typed_unfold import display

SHOWN = ("name", "member", "prefix", "scope", "created_at", "expires_at", "revoked_at", "used_at")


@admin.register(ApiToken)
class ApiTokenAdmin(ScopedAdmin[ApiToken]):
    list_display = ["name", "member", "prefix", "scope", "state", "expires_at", "used_at"]
    list_select_related = ["member__person__user", "member__seller"]
    list_filter = ["member", "scope"]
    search_fields = ["name", "prefix"]
    fields = SHOWN
    readonly_fields = SHOWN
    actions = ["revoke"]
    view_action = change_action = Action.MANAGE

    @display(description=gettext_lazy("state"), label={"open": "success", "revoked": "danger", "expired": "default"})
    def state(self, token: ApiToken) -> tuple[str, str]:
        if token.is_open(real_now()):
            return "open", _("in force")
        return ("revoked", _("revoked")) if token.revoked_at else ("expired", _("expired"))

    @admin.action(description=gettext_lazy("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens.select_related("member__seller"):
            revoke_token(token=token, by=person_of(request), now=real_now())
        self.message_user(
            request, _("Revoked: programs that hold these tokens are refused from now on."), messages.SUCCESS
        )


@admin.register(Milestones)
class MilestonesAdmin(ScopedAdmin[Milestones]):
    """One row per shop; until it is added the usual milestones hold."""

    list_display = ["shop", "daily", "weekly", "monthly"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    add_action = change_action = Action.MANAGE

    def get_readonly_fields(self, request: HttpRequest, obj: Milestones | None = None) -> list[str]:
        return ["shop"] if obj else []
