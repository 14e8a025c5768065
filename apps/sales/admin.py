"""Orders and daily facts, to look at."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from apps.sales.models import DailyFact, Order, OrderLine
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline


class OrderLineInline(ScopedInline):
    model = OrderLine
    fields = readonly_fields = ["position", "name", "quantity", "price", "product"]
    max_num = 0


@admin.register(Order)
class OrderAdmin(ScopedAdmin):
    list_display = ["external_id", "order_number", "placed_at", "status", "total", "currency", "channel"]
    list_filter: ClassVar = [("shop", admin.RelatedOnlyFieldListFilter), "status"]
    search_fields = ["=external_id", "=order_number"]
    date_hierarchy = "placed_on"
    inlines = [OrderLineInline]


@admin.register(DailyFact)
class DailyFactAdmin(ScopedAdmin):
    list_display = ["day", "product", "units", "revenue", "cancelled_units", "returned_units", "in_stock"]
    list_select_related = ["product"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "day"
