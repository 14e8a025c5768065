"""Orders, returns, daily facts and accruals, to look at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, TypedDict

from django.contrib import admin
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.admin_product import AboutProduct, marketplace_link, sku_link
from apps.catalog.models import Product
from apps.common import formats
from apps.common.periods import day_of
from apps.jobs.sync_runs import latest_moments
from apps.marketplaces.ozon_seller.accruals import COMMISSION, SALE
from apps.sales import rollup
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
    Return,
    Source,
)
from apps.shops.asking import visible
from apps.shops.days_filter import DaysFilter, NewestDayFilter
from apps.shops.models import Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline
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
CHANNELS = {"ozon_fbo": "OZON FBO", "ozon_fbs": "OZON FBS", "keycrm": "KeyCRM"}
OWN_TYPES = {SALE: gettext_lazy("sale"), COMMISSION: gettext_lazy("commission")}


class TypeName(TypedDict):
    """What the list of accruals adds to its rows; None for a type that the directory does not know."""

    type_name: str | None


class Label(TypedDict):
    """What the list of returns adds to its rows; None for an SKU that the shop does not have."""

    product_label: str | None


class OrderLineInline(HistoryInline[OrderLine]):
    model = OrderLine
    fields = ["position", "name", "ordered", "price_each", "product", "marketplace"]
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product__shop")

    @display(description=gettext_lazy("quantity"))
    def ordered(self, line: OrderLine) -> str:
        return formats.number(line.quantity, decimals=3)

    @display(description=gettext_lazy("price"))
    def price_each(self, line: OrderLine) -> str:
        return formats.money(line.price, line.order.currency)

    @display(description=gettext_lazy("SKU"))
    def marketplace(self, line: OrderLine) -> SafeString | str:
        return marketplace_link(line.product)


class ExpenseInline(HistoryInline[Expense]):
    model = Expense
    fields = ["type", "spent", "paid_at"]
    view_action = Action.SEE_PROFIT

    def get_queryset(self, request: HttpRequest) -> QuerySet[Expense]:
        return super().get_queryset(request).select_related("type")

    @display(description=gettext_lazy("amount"))
    def spent(self, expense: Expense) -> str:
        return formats.money(expense.amount, expense.order.currency)


class PaymentFilter(admin.SimpleListFilter):
    """Whether the buyer has paid, by what the channel tells."""

    title = gettext_lazy("payment")
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [
            ("paid", _("paid in full")),
            ("partly", _("paid in part")),
            ("unpaid", _("not paid")),
            ("unknown", _("unknown")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        choices = {
            "paid": Q(received__gte=F("total")),
            "partly": Q(received__gt=0, received__lt=F("total")),
            "unpaid": Q(received__lte=0, total__gt=0),
            "unknown": Q(received=None),
        }
        return queryset.filter(choices.get(self.value() or "", Q()))


@admin.register(Order)
class OrderAdmin(AboutProduct[Order]):
    """Each is about the products of its lines."""

    list_display = [
        *("external_id", "order_number", "placed_at", "state_badge", "sum", "sold_through", "source", "type_badge"),
    ]
    list_select_related = ["source"]
    exported: ClassVar = {"sum": "total"}
    list_filter = ["shop", "status", "source", "sales_type", PaymentFilter, ("placed_on", DaysFilter)]
    numbers = ("external_id", "order_number")
    search_help_text = gettext_lazy("Order, SKU, offer id or name")
    list_filter_submit = True
    ordering = ["-placed_at"]
    fields = [
        *("shop", "external_id", "order_number", "sold_through", "source", "manager", "sales_type", "buyer"),
        *("status", "raw_status", "placed_at", "placed_on", "closed_on", "sum", "paid", "source_updated_at"),
    ]
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

    def is_about(self, products: QuerySet[Product]) -> Q:
        return Q(pk__in=OrderLine.objects.filter(product__in=products).values("order"))

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

    @display(description=gettext_lazy("received from the buyer"))
    def paid(self, order: Order) -> str | None:
        return None if order.received is None else formats.money(order.received, order.currency)

    @display(description=gettext_lazy("channel"), ordering="channel")
    def sold_through(self, order: Order) -> str:
        return CHANNELS.get(order.channel, order.channel)


@admin.register(Accrual)
class AccrualAdmin(AboutProduct[Accrual]):
    """What the marketplace paid and charged: expenses, for those who may see them."""

    view_action = Action.SEE_PROFIT
    list_display = ["day", "kind", "sum", "product", "marketplace", "unit_number"]
    exported: ClassVar = {"sum": "amount"}
    list_select_related = ["product", "shop"]
    list_filter = ["shop", "category", "type_code", ("day", DaysFilter)]
    numbers = ("unit_number", "sku")
    list_filter_submit = True

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

    @display(description=gettext_lazy("SKU"), ordering="sku")
    def marketplace(self, accrual: Accrual) -> SafeString | str:
        return sku_link(accrual.sku, accrual.shop)


@admin.register(Return)
class ReturnAdmin(AboutProduct[Return]):
    """A return names its product by the SKU alone."""

    list_display = ["returned_on", "posting_number", "product", "marketplace", "quantity", "kind"]
    list_select_related = ["shop"]
    list_filter = ["shop", "kind", ("returned_on", DaysFilter)]
    list_filter_submit = True
    numbers = ("external_id", "posting_number", "sku")
    fields = ["shop", "external_id", "posting_number", "product", "marketplace", "quantity", "kind", "returned_on"]
    readonly_fields = ["product", "marketplace"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Return]:
        number = Case(When(sku__regex=r"^\d{1,18}$", then=Cast("sku", BigIntegerField())))
        named = Product.objects.filter(shop=OuterRef("shop"), sku=OuterRef("number")).order_by("pk")
        label = named.annotate(label=Concat("offer_id", Value(" · "), "name")).values("label")
        return super().get_queryset(request).annotate(number=number).annotate(product_label=label[:1])

    def is_about(self, products: QuerySet[Product]) -> Q:
        return Q(number__in=products.values("sku"))

    @display(description=gettext_lazy("product"), ordering="product_label")
    def product(self, row: WithAnnotations[Return, Label]) -> str:
        return row.product_label or "—"

    @display(description=gettext_lazy("SKU"), ordering="sku")
    def marketplace(self, row: Return) -> SafeString | str:
        return sku_link(row.sku, row.shop)


@admin.register(DailyFact)
class DailyFactAdmin(AboutProduct[DailyFact]):
    list_display = [
        *("day", "product", "marketplace", "units", "sum", "cancelled_units", "returned_units", "in_stock"),
    ]
    exported: ClassVar = {"sum": "revenue"}
    list_select_related = ["product__shop"]
    list_filter = ["product__shop", ("day", NewestDayFilter)]
    list_filter_submit = True
    ordering = ["-day", "product"]

    def newest_day(self, request: HttpRequest) -> date | None:
        """The last that any of the shops knows whole: found without reading the facts."""
        shops = visible(request, Shop.objects.all())
        moments = latest_moments(shops, rollup.SOURCE)
        zones = dict(shops.order_by().values_list("pk", "timezone"))
        known_until = [day_of(moment, zones[shop]) for shop, moment in moments.items() if moment]
        return max(known_until) - timedelta(days=1) if known_until else None

    @display(description=gettext_lazy("revenue"), ordering="revenue")
    def sum(self, fact: DailyFact) -> str:
        return formats.money(fact.revenue, fact.product.currency)
