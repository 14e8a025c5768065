"""Orders and daily facts, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypedDict

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.common import formats
from apps.marketplaces.ozon_seller.accruals import COMMISSION, SALE
from apps.sales.models import Accrual, AccrualType, DailyFact, Order, OrderLine
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


UNCLASSIFIED = gettext_lazy("unclassified")
OWN_TYPES = {SALE: gettext_lazy("sale"), COMMISSION: gettext_lazy("commission")}


class TypeName(TypedDict):
    """What the list of accruals adds to its rows; None for a type that the directory does not know."""

    type_name: str | None


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


@admin.register(Accrual)
class AccrualAdmin(ScopedAdmin[Accrual]):
    list_display = ["day", "kind", "sum", "product", "unit_number"]
    exported: ClassVar = {"sum": "amount"}
    list_select_related = ["product"]
    list_filter = ["shop", "category", "type_code"]
    search_fields = ["=unit_number", "=sku", "product__offer_id"]
    date_hierarchy = "day"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Accrual]:
        types = AccrualType.objects.filter(shop=OuterRef("shop"), external_id=OuterRef("type_code"))
        return super().get_queryset(request).annotate(type_name=Subquery(types.values("name")[:1]))

    @display(description=gettext_lazy("type"), ordering="type_code")
    def kind(self, accrual: WithAnnotations[Accrual, TypeName]) -> str:
        """A type that the directory does not know is shown with its number, never left out."""
        known = accrual.type_name or OWN_TYPES.get(accrual.type_code)
        return str(known or f"{UNCLASSIFIED} {accrual.type_code}".strip())

    @display(description=gettext_lazy("amount"), ordering="amount")
    def sum(self, accrual: Accrual) -> str:
        return formats.money(accrual.amount, accrual.currency)


@admin.register(DailyFact)
class DailyFactAdmin(ScopedAdmin[DailyFact]):
    list_display = ["day", "product", "units", "revenue", "cancelled_units", "returned_units", "in_stock"]
    list_select_related = ["product"]
    list_filter = ["product__shop"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "day"
    ordering = ["-day", "product"]
