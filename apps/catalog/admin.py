"""Products as the marketplace tells them, and what only the seller knows: costs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.catalog.models import Cost, PriceChange, Product, StockSnapshot
from apps.shops.audit import record
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline, person_of

SHOP_FILTER = ("shop", admin.RelatedOnlyFieldListFilter)


class CostInline(ScopedInline):
    model = Cost
    fields = ["starts_on", "amount", "currency", "entered_by", "entered_at"]
    readonly_fields = ["entered_by", "entered_at"]
    add_action = change_action = Action.EDIT_CATALOG


class PriceChangeInline(ScopedInline):
    model = PriceChange
    fields = readonly_fields = ["seen_at", "price_from", "price_to", "currency", "source"]
    max_num = 0


class WithoutCostFilter(admin.SimpleListFilter):
    """Products that no decision can be made on, because nobody has said what they cost."""

    title = gettext_lazy("unit cost")
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", _("known")), ("unknown", _("unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        known = Exists(Cost.objects.filter(product=OuterRef("pk")))
        choices = {"known": queryset.filter(known), "unknown": queryset.exclude(known)}
        return choices.get(self.value() or "", queryset)


@admin.register(Product)
class ProductAdmin(ScopedAdmin):
    list_display = ["offer_id", "name", "sku", "price", "old_price", "min_price", "currency", "known_cost", "synced_at"]
    list_filter: ClassVar = [SHOP_FILTER, "is_archived", WithoutCostFilter, ("brand", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["offer_id", "name", "=sku", "=external_id"]
    inlines = [CostInline, PriceChangeInline]
    change_action = Action.EDIT_CATALOG

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """Everything but the costs comes from the marketplace: a sync would overwrite it."""
        return [field.name for field in Product._meta.fields if field.name != "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        newest = Cost.objects.filter(product=OuterRef("pk")).order_by("-starts_on").values("amount")[:1]
        return super().get_queryset(request).annotate(newest_cost=newest)

    @display(description=gettext_lazy("unit cost"), ordering="newest_cost")
    def known_cost(self, product: Product) -> str:
        amount = product.newest_cost  # type: ignore[attr-defined]  # annotated by get_queryset
        return _("unknown") if amount is None else str(amount)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: Any, change: bool) -> None:
        product = form.instance
        for cost in formset.save(commit=False):
            cost.entered_by = person_of(request)
            cost.save()
            data = {"amount": str(cost.amount), "currency": cost.currency, "starts_on": str(cost.starts_on)}
            record("cost.set", actor=cost.entered_by, shop=product.shop, subject=product, **data)
        formset.save_m2m()


@admin.register(PriceChange)
class PriceChangeAdmin(ScopedAdmin):
    list_display = ["seen_at", "product", "price_from", "price_to", "currency", "source"]
    list_select_related = ["product"]
    list_filter = ["source"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "seen_on"


@admin.register(StockSnapshot)
class StockSnapshotAdmin(ScopedAdmin):
    list_display = ["day", "product", "warehouse", "present", "reserved"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "day"
