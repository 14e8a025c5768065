"""Orders and daily facts, to look at."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.common import formats
from apps.sales.models import DailyFact, Order, OrderLine
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import display


class OrderLineInline(HistoryInline[OrderLine]):
    model = OrderLine
    fields = ["position", "name", "quantity", "price", "product"]
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product")


@admin.register(Order)
class OrderAdmin(ScopedAdmin[Order]):
    list_display = ["external_id", "order_number", "placed_at", "state_badge", "sum", "channel"]
    exported: ClassVar = {"sum": "total"}
    list_filter = ["shop", "status"]
    search_fields = ["=external_id", "=order_number"]
    date_hierarchy = "placed_on"
    ordering = ["-placed_at"]
    inlines = [OrderLineInline]

    @display(
        description=gettext_lazy("status"),
        label={"open": "info", "delivered": "success", "cancelled": "warning", "returned": "danger"},
        ordering="status",
    )
    def state_badge(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=gettext_lazy("total"), ordering="total")
    def sum(self, order: Order) -> str:
        return formats.money(order.total, order.currency)


@admin.register(DailyFact)
class DailyFactAdmin(ScopedAdmin[DailyFact]):
    list_display = ["day", "product", "units", "revenue", "cancelled_units", "returned_units", "in_stock"]
    list_select_related = ["product"]
    list_filter = ["product__shop"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "day"
    ordering = ["-day", "product"]
