"""Pricing rules."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.pricing.models import PricingSettings
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin


@admin.register(PricingSettings)
class PricingSettingsAdmin(ScopedAdmin[PricingSettings]):
    """One row per shop, made with the first look at its prices; until then the defaults hold."""

    list_display = ["shop", "min_margin_rate", "max_step_rate", "days_between_changes", "cards_per_day"]
    list_select_related = ["shop"]
    list_filter = ["shop"]
    add_action = change_action = Action.EDIT_CATALOG
    audit_name = "pricing_rules"

    def get_readonly_fields(self, request: HttpRequest, obj: PricingSettings | None = None) -> list[str]:
        return ["shop"] if obj else []
