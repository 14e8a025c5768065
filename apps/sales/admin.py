"""Orders and daily facts, to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypedDict

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.common import formats
from apps.marketplaces.ozon_seller.accruals import COMMISSION, SALE
from apps.sales.admin_crm import (
    BuyerAdmin,
    DayCheckAdmin,
    ExpenseTypeAdmin,
    ManagerAdmin,
    MissingOrderAdmin,
    SourceAdmin,
)
from apps.sales.models import (
    Accrual,
    AccrualType,
    Buyer,
    DailyFact,
    DayCheck,
    Expense,
    ExpenseType,
    Manager,
    MissingOrder,
    Order,
    OrderLine,
    Source,
)
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


admin.site.register(Source, SourceAdmin)
admin.site.register(Manager, ManagerAdmin)
admin.site.register(ExpenseType, ExpenseTypeAdmin)
admin.site.register(Buyer, BuyerAdmin)
admin.site.register(MissingOrder, MissingOrderAdmin)
admin.site.register(DayCheck, DayCheckAdmin)

UNCLASSIFIED = gettext_lazy("unclassified")
CHANNELS = {"ozon_fbo": "OZON FBO", "ozon_fbs": "OZON FBS"}
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


class ExpenseInline(HistoryInline[Expense]):
    model = Expense
    fields = ["type", "amount", "paid_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Expense]:
        return super().get_queryset(request).select_related("type")


@admin.register(Order)
class OrderAdmin(ScopedAdmin[Order]):
    list_display = [
        "external_id",
        "order_number",
        "placed_at",
        "state_badge",
        "sum",
        "sold_through",
        "source",
        "type_badge",
    ]
    list_select_related = ["source"]
    exported: ClassVar = {"sum": "total"}
    list_filter = ["shop", "status", "source", "sales_type"]
    search_fields = ["=external_id", "=order_number"]
    date_hierarchy = "placed_on"
    ordering = ["-placed_at"]
    inlines = [OrderLineInline, ExpenseInline]

    @display(
        description=gettext_lazy("sales type"),
        label={
            "retail": "success",
            "b2b": "info",
            "exhibition": "info",
            "internal": "warning",
            "unclassified": "danger",
        },
        ordering="sales_type",
    )
    def type_badge(self, order: Order) -> tuple[str, str]:
        return order.sales_type, order.get_sales_type_display()

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

    @display(description=gettext_lazy("channel"), ordering="channel")
    def sold_through(self, order: Order) -> str:
        return CHANNELS.get(order.channel, order.channel)


@admin.register(Accrual)
class AccrualAdmin(ScopedAdmin[Accrual]):
    list_display = ["day", "kind", "sum", "product", "unit_number"]
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
    list_display = ["day", "product", "units", "sum", "cancelled_units", "returned_units", "in_stock"]
    exported: ClassVar = {"sum": "revenue"}
    list_select_related = ["product"]
    list_filter = ["product__shop"]
    search_fields = ["product__offer_id", "product__name"]
    date_hierarchy = "day"
    ordering = ["-day", "product"]

    @display(description=gettext_lazy("revenue"), ordering="revenue")
    def sum(self, fact: DailyFact) -> str:
        return formats.money(fact.revenue, fact.product.currency)
