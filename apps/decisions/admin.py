"""The kill switch, and a shop's rules for deciding.

Proposals and commands have their pages in the back office, where the kinds of change are known.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.decisions.models import DecisionRules
from apps.decisions.switch import turn
from apps.shops.asking import is_superuser, person_of
from apps.shops.models import KillSwitch
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin
from apps.shops.typed_unfold import Fieldsets, display


class KillSwitchForm(forms.ModelForm):
    """Stopping takes one press; allowing changes again takes the name of what is to run again, typed."""

    words = forms.CharField(
        label=gettext_lazy("To allow changes again"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Type the name of the shop, as it is written above. To stop changes leave this empty."),
    )

    class Meta:
        model = KillSwitch
        fields = ["shop", "is_on"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        switch = KillSwitch(shop=given.get("shop") or self.instance.shop)
        is_release = self.instance.pk and "is_on" in self.changed_data and not given["is_on"]
        if is_release and given["words"].strip() != str(switch):
            raise forms.ValidationError({"words": _("To allow changes again, type: %(name)s") % {"name": switch}})
        return given


@admin.register(KillSwitch)
class KillSwitchAdmin(ScopedAdmin[KillSwitch]):
    """One row per shop that was ever stopped, and one, the superuser's, for the whole installation."""

    form = KillSwitchForm
    list_display = ["__str__", "state", "changed_by", "changed_at"]
    list_select_related = ["shop", "changed_by__user"]
    add_action = change_action = Action.STOP
    audit_name = None  # `turn` leaves the row

    def get_fieldsets(self, request: HttpRequest, obj: KillSwitch | None = None) -> Fieldsets:
        return [(None, {"fields": ["shop", "is_on", "words"] if obj and obj.is_on else ["shop", "is_on"]})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_on": True, **super().get_changeform_initial_data(request)}

    def get_readonly_fields(self, request: HttpRequest, obj: KillSwitch | None = None) -> list[str]:
        return ["shop"] if obj else []

    def get_form(
        self, request: HttpRequest, obj: KillSwitch | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[KillSwitch]]:
        form = super().get_form(request, obj, change, **kwargs)
        if "shop" in form.base_fields:
            form.base_fields["shop"].required = not is_superuser(request)
            form.base_fields["shop"].help_text = _("Empty: the whole installation.") if is_superuser(request) else ""
        return form

    @display(description=gettext_lazy("state"), label={"on": "danger", "off": "success"})
    def state(self, switch: KillSwitch) -> tuple[str, str]:
        return ("on", _("everything is stopped")) if switch.is_on else ("off", _("changes are allowed"))

    def save_model(self, request: HttpRequest, obj: KillSwitch, form: Any, change: bool) -> None:
        obj.pk = turn(on=obj.is_on, shop=obj.shop, by=person_of(request)).pk


@admin.register(DecisionRules)
class DecisionRulesAdmin(ScopedAdmin[DecisionRules]):
    """One row per shop; until it is added the defaults hold. The owner's: no approver loosens what binds them."""

    list_display = ["shop", "two_above_step_rate", "two_above_money", "two_above_products", "together_worst"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    add_action = change_action = Action.MANAGE
    audit_name = "decision_rules"

    def get_readonly_fields(self, request: HttpRequest, obj: DecisionRules | None = None) -> list[str]:
        return ["shop"] if obj else []
