"""Sellers, shops, keys, people and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.common.encrypted import Secret
from apps.shops.admin_people import LoginAdmin, MemberAdmin, PersonAdmin
from apps.shops.asking import is_superuser, seller_of_request
from apps.shops.audit_words import say
from apps.shops.models import AuditEntry, Credential, KillSwitch, Member, Person, Seller, Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin
from apps.shops.typed_unfold import display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

admin.site.unregister((User, Group))
admin.site.register(User, LoginAdmin)
admin.site.register(Person, PersonAdmin)
admin.site.register(Member, MemberAdmin)


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
    fields = ["seller", "kind", "name", "currency", "timezone", "is_active"]
    add_action = change_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        keys = Credential.objects.filter(shop=OuterRef("pk"))
        stopped = KillSwitch.objects.filter(Q(shop=OuterRef("pk")) | Q(shop=None), is_on=True)
        return (
            super()
            .get_queryset(request)
            .annotate(has_key=Exists(keys), has_bad_key=Exists(keys.exclude(problem="")), is_stopped=Exists(stopped))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Shop | None = None) -> list[str]:
        return ["seller", "kind"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"seller": seller_of_request(request), **super().get_changeform_initial_data(request)}

    @display(description=gettext_lazy("keys"), label={"ok": "success", "bad": "danger", "none": "warning"})
    def keys(self, shop: WithAnnotations[Shop, ShopState]) -> tuple[str, str]:
        if shop.has_bad_key:
            return "bad", _("refused")
        return ("ok", _("in order")) if shop.has_key else ("none", _("missing"))

    @display(description=gettext_lazy("changes"), label={"go": "success", "stop": "danger"})
    def sends(self, shop: WithAnnotations[Shop, ShopState]) -> tuple[str, str]:
        return ("stop", _("stopped")) if shop.is_stopped else ("go", _("allowed"))


class CredentialForm(forms.ModelForm):
    """The key is written, never shown: an empty field keeps the one there is."""

    secret = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Stored encrypted and never shown again. Leave it empty to keep the present one."),
    )

    class Meta:
        model = Credential
        fields = ["shop", "api", "client_id", "secret"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("secret", None)  # what is not in the form was not changed by it

    def clean_secret(self) -> Secret:
        given = self.cleaned_data["secret"]
        if not given and not self.instance.pk:
            raise forms.ValidationError(_("A new key needs its secret."))
        return Secret(given) if given else self.instance.secret


@admin.register(Credential)
class CredentialAdmin(ScopedAdmin[Credential]):
    form = CredentialForm
    list_display = ["shop", "api", "client_id", "masked", "expires_at", "checked_at", "state"]
    list_display_links = ["shop", "api"]
    list_select_related = ["shop"]
    list_filter = ["shop", "api"]
    view_action = Action.MANAGE
    add_action = change_action = delete_action = Action.MANAGE

    @display(description=gettext_lazy("key"))
    def masked(self, row: Credential) -> str:
        return str(row.secret.masked)

    @display(description=gettext_lazy("state"), label={"ok": "success", "bad": "danger"})
    def state(self, row: Credential) -> tuple[str, str]:
        return ("bad", row.problem) if row.problem else ("ok", _("in order"))

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        if "secret" in form.changed_data:
            obj.problem, obj.checked_at, obj.expires_at = "", None, None  # what was known of the key before
        super().save_model(request, obj, form, change)


class Actor(TypedDict):
    """What the list of the audit trail adds to its rows."""

    is_outside: bool


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin[AuditEntry]):
    list_display = ["at", "what", "who", "shop", "subject"]
    list_select_related = ["actor__user", "shop"]
    list_filter = ["shop", "actor"]
    search_fields = ["action", "subject"]
    date_hierarchy = "at"
    fields = ["at", "what", "action", "who", "shop", "subject", "data"]
    readonly_fields = ["what", "who"]
    view_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Who presses a button that is not theirs may be of another seller: the name stays there."""
        inside = Member.objects.filter(person=OuterRef("actor"), seller=OuterRef("seller"))
        is_outside = Q(action__endswith=".refused") & ~Exists(inside)
        return super().get_queryset(request).annotate(is_outside=Value(False) if is_superuser(request) else is_outside)

    @display(description=gettext_lazy("what"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        return say(entry.action)

    @display(description=gettext_lazy("who"), ordering="actor")
    def who(self, entry: WithAnnotations[AuditEntry, Actor]) -> str:
        if entry.actor is None:
            return "—"
        return _("somebody outside the team") if entry.is_outside else str(entry.actor)
