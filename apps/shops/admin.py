"""Sellers, shops, keys, people and the audit trail."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.common.clock import real_now
from apps.common.encrypted import Secret
from apps.shops.audit import record
from apps.shops.linking import issue_code
from apps.shops.models import AuditEntry, Credential, Member, Person, Seller, Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, SuperuserOnly, person_of

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class LoginAdmin(SuperuserOnly, UserAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class LoginGroupAdmin(SuperuserOnly, GroupAdmin):
    pass


@admin.register(Seller)
class SellerAdmin(ScopedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    change_action = Action.MANAGE

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A new business is the installation's matter, not another seller's."""
        return bool(request.user.is_superuser)


class CredentialForm(forms.ModelForm):
    """The key is written, never shown: an empty field keeps the one there is."""

    secret = forms.CharField(
        label=gettext_lazy("key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Stored encrypted and never shown again. Leave it empty to keep the present one."),
    )

    class Meta:
        model = Credential
        fields = ["shop", "api", "client_id", "secret"]

    def clean_secret(self) -> Secret:
        given = self.cleaned_data["secret"]
        if not given and not self.instance.pk:
            raise forms.ValidationError(_("A new key needs its secret."))
        return Secret(given) if given else self.instance.secret


@admin.register(Credential)
class CredentialAdmin(ScopedAdmin):
    form = CredentialForm
    list_display = ["shop", "api", "client_id", "masked", "expires_at", "checked_at", "state"]
    list_select_related = ["shop"]
    view_action = Action.MANAGE
    add_action = change_action = delete_action = Action.MANAGE

    @display(description=gettext_lazy("key"))
    def masked(self, row: Credential) -> str:
        return row.secret.masked

    @display(description=gettext_lazy("state"), label={"ok": "success", "bad": "danger"})
    def state(self, row: Credential) -> tuple[str, str]:
        return ("bad", row.problem) if row.problem else ("ok", _("in order"))

    def save_model(self, request: HttpRequest, obj: Credential, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        name = "credential.changed" if change else "credential.created"
        record(name, actor=person_of(request), shop=obj.shop, subject=obj, api=obj.api, fields=form.changed_data)


@admin.register(Shop)
class ShopAdmin(ScopedAdmin):
    list_display = ["name", "kind", "currency", "timezone", "is_active"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name"]
    add_action = change_action = Action.MANAGE

    def save_model(self, request: HttpRequest, obj: Shop, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        name = "shop.changed" if change else "shop.created"
        record(name, actor=person_of(request), shop=obj, subject=obj, fields=form.changed_data)


@admin.register(Person)
class PersonAdmin(ScopedAdmin):
    list_display = ["__str__", "telegram_id", "language"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    list_select_related = ["user"]
    fields = ["user", "telegram_id", "language", "active_seller"]
    readonly_fields = ["user", "telegram_id"]
    view_action = change_action = Action.MANAGE
    actions = ["give_code"]

    @admin.action(description=gettext_lazy("Give a one-time code to link Telegram"))
    def give_code(self, request: HttpRequest, people: Any) -> None:
        """Shown once; only its digest is kept."""
        for person in people:
            code = issue_code(person=person, by=person_of(request), now=real_now())
            words = _("%(person)s: send the bot /start %(code)s") % {"person": person, "code": code}
            self.message_user(request, words, messages.SUCCESS)


@admin.register(Member)
class MemberAdmin(ScopedAdmin):
    list_display = ["person", "seller", "role", "created_at"]
    list_select_related = ["person__user", "seller"]
    list_filter = ["role"]
    view_action = Action.MANAGE
    add_action = change_action = delete_action = Action.MANAGE

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        return ["person", "seller"] if obj else []

    def save_model(self, request: HttpRequest, obj: Member, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        name = "member.changed" if change else "member.created"
        record(name, actor=person_of(request), seller=obj.seller, subject=obj, role=obj.role)

    def delete_model(self, request: HttpRequest, obj: Member) -> None:
        record("member.removed", actor=person_of(request), seller=obj.seller, subject=obj, role=obj.role)
        super().delete_model(request, obj)


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    list_display = ["at", "action", "actor", "shop", "subject"]
    list_select_related = ["actor__user", "shop"]
    list_filter: ClassVar = [("shop", admin.RelatedOnlyFieldListFilter), ("actor", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["action", "subject"]
    date_hierarchy = "at"
    view_action = Action.MANAGE
