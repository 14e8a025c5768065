"""The page of the keys: what is entered is checked with the marketplace before it is saved, outside of transactions."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.common import clock
from apps.common.encrypted import Secret, UnreadableSecret
from apps.marketplaces.errors import ApiError, WrongCredentials
from apps.marketplaces.ozon_seller.schemas import KeyRoles
from apps.shops import key_check, key_words, keys
from apps.shops.admin_buttons import button
from apps.shops.asking import person_of
from apps.shops.models import Credential
from apps.shops.roles import Action
from apps.shops.scoped_admin import Context, ScopedAdmin
from apps.shops.typed_unfold import Fieldsets, display

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What was learnt of a key that was entered: its roles; an objection to a field; or neither, when nobody knows."""

    roles: KeyRoles | None = None
    field: str = ""
    objection: str = ""


class KeyForm(forms.ModelForm):
    """The key is written, never shown: an empty field keeps the one there is."""

    answer: ClassVar[Answer | None] = None

    secret = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Checked with the marketplace, stored encrypted and never shown again."),
    )

    class Meta:
        model = Credential
        fields = ["shop", "api", "client_id", "secret"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("secret", None)  # what is not in the form was not changed by it
        self.at_work = (self.instance.client_id, self.instance.secret) if self.instance.pk else None

    def clean_secret(self) -> Secret:
        given = self.cleaned_data["secret"]
        if not given and not self.instance.pk:
            raise forms.ValidationError(_("A new key needs its secret."))
        return Secret(given) if given else self.instance.secret

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.answer and self.answer.objection:
            self.add_error(self.answer.field, self.answer.objection)
        return cleaned

    @property
    def entered(self) -> tuple[str, Secret]:
        return self.cleaned_data["client_id"], self.cleaned_data["secret"]

    @property
    def is_other_key(self) -> bool:
        return self.has_changed() and self.entered != self.at_work

    def ask(self) -> Answer | None:
        """Ask the marketplace about what was entered; None where there is nothing to ask, or nobody."""
        if not (self.is_valid() and self.is_other_key and self.instance.is_checkable):
            return None
        field = "secret" if "secret" in self.changed_data else "client_id"
        try:
            return Answer(roles=key_check.ask(*self.entered))
        except ValueError as error:
            return _unsuitable(str(error))
        except WrongCredentials as error:
            return Answer(field=field, objection=_("OZON does not accept it: %(message)s") % {"message": error.message})
        except ApiError as error:
            log.warning("a key was entered that could not be checked: %s", error)
            return Answer()


def _unsuitable(problem: str) -> Answer:
    """What cannot be a key is not even sent."""
    if problem.startswith("client_id"):
        return Answer(field="client_id", objection=_("A client id is a whole number above zero."))
    return Answer(field="secret", objection=_("A key has neither blanks nor any but Latin letters, digits and signs."))


class KeyAdmin(ScopedAdmin[Credential]):
    """A key that is entered over another one is its next: it takes over when the marketplace accepts it."""

    form = KeyForm
    list_display = ["shop", "api", "client_id", "masked", "expires_at", "checked_at", "state"]
    list_display_links = ["shop", "api"]
    list_select_related = ["shop"]
    list_filter = ["shop", "api"]
    readonly_fields = [
        "stands", "masked", "allowed", "lacking", "role_names", "expires_at", "checked_at", "next_masked",
        "former_masked",
    ]  # fmt: skip
    actions_detail = ["check_now"]
    view_action = Action.MANAGE
    add_action = change_action = delete_action = Action.MANAGE

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        """The page itself runs in a transaction, in which nobody waits for a marketplace: it is asked before."""
        if request.method == "POST":
            request.key_answer = self._ask(request, object_id)  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _ask(self, request: HttpRequest, object_id: str | None) -> Answer | None:
        """Nothing for those who may not enter it: the page refuses them."""
        key = self.get_object(request, unquote(object_id)) if object_id else None
        is_permitted = self.has_change_permission(request, key) if key else self.has_add_permission(request)
        if not is_permitted or (object_id and key is None):
            return None
        form: KeyForm = self.get_form(request, key, change=key is not None)(request.POST, instance=key)
        return form.ask()

    def get_form(
        self, request: HttpRequest, obj: Credential | None = None, change: bool = False, **kwargs: Any
    ) -> type[KeyForm]:
        # A class of this request's own, which Django makes from `form` above.
        form = cast(type[KeyForm], super().get_form(request, obj, change, **kwargs))
        form.answer = getattr(request, "key_answer", None)
        if obj is not None and obj.is_checkable:
            form.base_fields["secret"].label = _("Next key")
            form.base_fields["secret"].help_text = _(
                "Checked with the marketplace; once accepted it takes over at once, and the present key is kept until "
                "the new one has been seen at work. Empty: the present key stays. Never shown again."
            )
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Credential | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), *(["shop", "api"] if obj else [])]

    def get_fieldsets(self, request: HttpRequest, obj: Credential | None = None) -> Fieldsets:
        entered: Fieldsets = [(None, {"fields": ["shop", "api", "client_id", "secret"]})]
        if obj is None:
            return entered
        known = ["stands", "masked", "expires_at", "checked_at"]
        known += ["allowed", "lacking", "role_names"] if obj.is_checkable else []
        known += ["next_masked"] if obj.next_secret is not None else []
        known += ["former_masked"] if obj.former_secret is not None else []
        return [*entered, (_("The key at work"), {"fields": known})]

    @display(description=gettext_lazy("key"))
    def masked(self, row: Credential) -> str:
        return _masked(row.secret)

    @display(description=gettext_lazy("next key"))
    def next_masked(self, row: Credential) -> str:
        words = _("%(key)s, not checked yet: it takes over as soon as the marketplace accepts it")
        return words % {"key": _masked(row.next_secret)}

    @display(description=gettext_lazy("former key"))
    def former_masked(self, row: Credential) -> str:
        return _("%(key)s, kept until the new one has been seen at work") % {"key": _masked(row.former_secret)}

    @display(
        description=gettext_lazy("state"),
        label={"success": "success", "warning": "warning", "danger": "danger", "info": "info"},
    )
    def state(self, row: Credential) -> tuple[str, str]:
        stands = key_words.standing(row, clock.now())
        return stands.tone, stands.label

    @display(description=gettext_lazy("state"))
    def stands(self, row: Credential) -> str:
        found = key_words.standing(row, clock.now())
        return " · ".join(filter(None, (found.label, found.words)))

    @display(description=gettext_lazy("it may"))
    def allowed(self, row: Credential) -> str:
        return ", ".join(key_words.may(row)) or "—"

    @display(description=gettext_lazy("it may not, and Vitrina needs it"))
    def lacking(self, row: Credential) -> str:
        return ", ".join(key_words.lacks(row)) or "—"

    @display(description=gettext_lazy("roles at the marketplace"))
    def role_names(self, row: Credential) -> str:
        return ", ".join(row.roles) or "—"

    def save_model(self, request: HttpRequest, obj: Credential, form: KeyForm, change: bool) -> None:
        roles = form.answer.roles if form.answer else None
        if change and obj.is_checkable:
            self._enter_next(request, obj, form, roles)
            return
        if change and form.is_other_key:
            obj.version += 1
            obj.problem, obj.checked_at, obj.expires_at = "", None, None  # what was known of the key before
        if roles:
            keys.note_roles(obj, roles)
        super().save_model(request, obj, form, change)
        if obj.is_checkable:
            self._tell(request, obj, is_accepted=roles is not None)

    def _enter_next(self, request: HttpRequest, obj: Credential, form: KeyForm, roles: KeyRoles | None) -> None:
        if form.is_other_key:
            client_id, secret = form.entered
            by = person_of(request)
            key = keys.enter_next(key_id=obj.pk, client_id=client_id, secret=secret, roles=roles, by=by)
            self._tell(request, key, is_accepted=roles is not None)

    def _tell(self, request: HttpRequest, key: Credential, *, is_accepted: bool) -> None:
        lacking = key_words.lacks(key)
        if not is_accepted:
            words = _("OZON could not be asked. The key is saved, not checked yet; it will be checked by itself.")
            self.message_user(request, words, messages.WARNING)
        elif lacking:
            words = _("OZON accepts the key, but it may not: %(deeds)s.") % {"deeds": ", ".join(lacking)}
            self.message_user(request, words, messages.WARNING)
        else:
            self.message_user(request, _("OZON accepts the key; it may do all that Vitrina needs."), messages.SUCCESS)

    @button(
        gettext_lazy("Check now"),
        question=gettext_lazy("Ask the marketplace about this key?"),
        consequence=gettext_lazy("A key that is accepted again goes back to work, and what waited for it goes on."),
        permission="check_now",
        icon="verified_user",
    )
    def check_now(self, request: HttpRequest, key: Credential, form: BaseDialogForm) -> None:
        try:
            key_check.check(key)
        except ApiError as error:
            log.warning("key %s could not be checked: %s", key.pk, error)
            self.message_user(request, _("OZON could not be asked; nothing has changed."), messages.WARNING)
            return
        key.refresh_from_db()
        if key.is_refused:
            self.message_user(request, _("OZON does not accept it: %(message)s") % {"message": key.problem}, "error")
        else:
            self._tell(request, key, is_accepted=True)

    def has_check_now_permission(self, request: HttpRequest, object_id: str) -> bool:
        key = self.get_object(request, object_id)
        return key is not None and key.is_checkable and self.has_change_permission(request, key)


def _masked(secret: Secret) -> str:
    try:
        return secret.masked
    except UnreadableSecret:
        return _("cannot be read with the keys in CREDENTIALS_KEYS")
