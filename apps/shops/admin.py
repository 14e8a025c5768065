"""Sellers, shops, keys, people and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.shops.admin_keys import KeyAdmin
from apps.shops.admin_people import LoginAdmin, MemberAdmin, PersonAdmin
from apps.shops.asking import is_superuser, seller_of_request
from apps.shops.audit_words import say, subject_in_words
from apps.shops.days_filter import DaysFilter
from apps.shops.models import AuditEntry, Credential, CrmRules, KillSwitch, Member, Person, Seller, Shop
from apps.shops.push import push_address
from apps.shops.roles import Action
from apps.shops.scoped_admin import REAL_TIME, ScopedAdmin
from apps.shops.typed_unfold import Fieldsets, display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

admin.site.unregister((User, Group))
admin.site.register(User, LoginAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Member, MemberAdmin)
admin.site.register(Credential, KeyAdmin)


@admin.register(Seller)
class SellerAdmin(ScopedAdmin[Seller]):
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    change_action = Action.MANAGE

    def has_add_permission(self, request: HttpRequest, obj: Seller | None = None) -> bool:
        """A new business is the installation's matter, not another seller's."""
        return is_superuser(request)


class ShopState(TypedDict):
    """What the list of shops adds to its rows."""

    has_key: bool
    has_bad_key: bool
    is_stopped: bool


@admin.register(Shop)
class ShopAdmin(ScopedAdmin[Shop]):
    """Its schedule and its pricing rules come with a shop by themselves; then it needs a key."""

    list_display = ["name", "kind", "currency", "timezone", "is_active", "keys", "sends"]
    list_filter = ["seller", "kind", "is_active"]
    search_fields = ["name"]
    add_action = change_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        keys = Credential.objects.filter(shop=OuterRef("pk"))
        stopped = KillSwitch.objects.filter(Q(shop=OuterRef("pk")) | Q(shop=None), is_on=True)
        return (
            super()
            .get_queryset(request)
            .annotate(has_key=Exists(keys), has_bad_key=Exists(keys.exclude(problem="")), is_stopped=Exists(stopped))
        )

    def get_fieldsets(self, request: HttpRequest, obj: Shop | None = None) -> Fieldsets:
        """Who may not change the shop does not see its push address either: it holds a secret."""
        is_shown = obj is not None and self.has_change_permission(request, obj)
        address = ["push_address"] if is_shown else []
        return [(None, {"fields": ["seller", "kind", "name", "currency", "timezone", "is_active", *address]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Shop | None = None) -> list[str]:
        return ["seller", "kind", "push_address"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"seller": seller_of_request(request), **super().get_changeform_initial_data(request)}

    @display(description=gettext_lazy("address for push notifications"))
    def push_address(self, shop: Shop) -> str:
        return push_address(shop)

    @display(description=gettext_lazy("keys"), label={"ok": "success", "bad": "danger", "none": "warning"})
    def keys(self, shop: WithAnnotations[Shop, ShopState]) -> tuple[str, str]:
        if shop.has_bad_key:
            return "bad", _("refused")
        return ("ok", _("in order")) if shop.has_key else ("none", _("missing"))

    @display(description=gettext_lazy("changes"), label={"go": "success", "stop": "danger"})
    def sends(self, shop: WithAnnotations[Shop, ShopState]) -> tuple[str, str]:
        if shop.is_only_read:
            return "none", _("only read")
        return ("stop", _("stopped")) if shop.is_stopped else ("go", _("allowed"))


@admin.register(CrmRules)
class CrmRulesAdmin(ScopedAdmin[CrmRules]):
    """One row per shop in a CRM, made with the shop; its time zone and its currency are the shop's own."""

    list_display = ["shop", "brand_field", "lost_statuses"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    fields = ["shop", "brand_field", "lost_statuses"]
    readonly_fields = ["shop"]
    change_action = Action.MANAGE
    audit_name = "crm_rules"


class Actor(TypedDict):
    """What the list of the audit trail adds to its rows."""

    is_outside: bool


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin[AuditEntry]):
    list_display = ["at", "what", "who", "shop", "about"]
    exported: ClassVar = {"about": "subject"}
    list_select_related = ["actor__user", "shop"]
    list_filter = ["shop", "actor", ("at", DaysFilter)]
    search_fields = ["action", "subject"]
    list_note = REAL_TIME
    list_filter_submit = True
    fields = ["at", "what", "action", "who", "shop", "about", "subject", "data"]
    readonly_fields = ["what", "who", "about"]
    view_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Who presses a button that is not theirs may be of another seller: the name stays there."""
        inside = Member.objects.filter(person=OuterRef("actor"), seller=OuterRef("seller"))
        is_outside = Q(action__endswith=".refused") & ~Exists(inside)
        return super().get_queryset(request).annotate(is_outside=Value(False) if is_superuser(request) else is_outside)

    @display(description=gettext_lazy("what"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        return say(entry.action)

    @display(description=gettext_lazy("subject"), ordering="subject")
    def about(self, entry: AuditEntry) -> str:
        return subject_in_words(entry.subject)

    @display(description=gettext_lazy("who"), ordering="actor")
    def who(self, entry: WithAnnotations[AuditEntry, Actor]) -> str:
        if entry.actor is None:
            return "—"
        return _("somebody outside the team") if entry.is_outside else str(entry.actor)
