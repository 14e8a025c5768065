"""Pricing rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Field
from django.forms import Field as FormField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.pricing.models import PricingSettings
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin

HELP = {
    "experiment_days": gettext_lazy(
        "How long a new price is measured before its verdict. A week is usually best: an open question can be extended "
        "by the week, up to 28 days, while a bad price that runs longer costs more than it teaches."
    )
}


@admin.register(PricingSettings)
class PricingSettingsAdmin(ScopedAdmin[PricingSettings]):
    """One row per shop, made with the first look at its prices; until then the defaults hold."""

    list_display = [
        "shop",
        "min_margin_rate",
        "max_step_rate",
        "days_between_changes",
        "cards_per_day",
        "experiment_days",
    ]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    add_action = change_action = Action.EDIT_CATALOG
    audit_name = "pricing_rules"

    def get_readonly_fields(self, request: HttpRequest, obj: PricingSettings | None = None) -> list[str]:
        return ["shop"] if obj else []

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> FormField | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in HELP:
            field.help_text = HELP[db_field.name]
        return field
