"""Pricing rules, and why prices were recommended."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from apps.pricing.models import PriceRecommendation, PricingSettings
from apps.shops.audit import record
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, person_of


@admin.register(PricingSettings)
class PricingSettingsAdmin(ScopedAdmin):
    list_display = ["shop", "min_margin_rate", "max_step_rate", "days_between_changes", "cards_per_day"]
    list_select_related = ["shop"]
    readonly_fields = ["shop"]
    change_action = Action.EDIT_CATALOG

    def save_model(self, request: HttpRequest, obj: PricingSettings, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = {name: str(form.cleaned_data[name]) for name in form.changed_data}
        record("pricing.rules_changed", actor=person_of(request), shop=obj.shop, subject=obj, **changed)


@admin.register(PriceRecommendation)
class PriceRecommendationAdmin(ScopedAdmin):
    list_display = ["proposal", "product"]
    list_select_related = ["proposal", "product"]
    search_fields = ["product__offer_id", "product__name"]
