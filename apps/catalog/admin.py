"""Products as the marketplace tells them, and what only the seller knows: costs and settings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from django.contrib import admin, messages
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.admin_inlines import ArticleInline, ClusterStockInline, CostInline, PriceChangeInline, SettingsInline
from apps.catalog.admin_product import SEARCHED, SEARCHED_IN_WORDS, UNKNOWN, AboutProduct, marketplace_link
from apps.catalog.admin_sheets import CostImportAdmin, SettingsImportAdmin
from apps.catalog.articles import link_by_offer_id, set_article, suggested
from apps.catalog.costs import lock_costs, set_cost
from apps.catalog.models import (
    Article,
    Cost,
    CostImport,
    Participation,
    PriceChange,
    Product,
    ProductSettings,
    Promotion,
    SettingsImport,
    StockSnapshot,
)
from apps.catalog.product_settings import set_settings
from apps.common import formats
from apps.shops import audit
from apps.shops.asking import permitted, person_of, visible
from apps.shops.days_filter import DaysFilter, NewestDayFilter
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import Fieldsets, ListFilter, display

NOT_SET = gettext_lazy("none is set")

admin.site.register(CostImport, CostImportAdmin)
admin.site.register(SettingsImport, SettingsImportAdmin)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Figures(TypedDict):
    """What the list of products adds to its rows; None is unknown."""

    newest_cost: Decimal | None
    units: int | None


class WithoutCostFilter(admin.SimpleListFilter):
    """Products that no decision can be made on, because nobody has said what they cost."""

    title = gettext_lazy("unit cost")
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("known", _("known")), ("unknown", _("unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        known = Exists(Cost.objects.filter(product=OuterRef("pk")))
        choices = {"known": queryset.filter(known), "unknown": queryset.exclude(known)}
        return choices.get(self.value() or "", queryset)


class ArticleFilter(admin.SimpleListFilter):
    """What is sold in several shops, and what seems to be."""

    title = gettext_lazy("in several shops")
    parameter_name = "article"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("linked", _("linked with others")), ("suggested", _("the same offer id in another shop"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if self.value() == "suggested":
            return queryset.filter(pk__in=suggested(Product.objects.all()).values("pk"))
        return queryset.exclude(article=None) if self.value() == "linked" else queryset


IDENTITY: Any = (
    None,
    {"fields": ["name", "marketplace", ("offer_id", "external_id"), ("brand", "category"), "shop"]},
)
FEES: Any = (
    gettext_lazy("What the marketplace takes"),
    {
        "classes": ["collapse"],
        "fields": [
            ("fbo_commission", "fbs_commission"),
            ("fbo_logistics", "fbs_logistics"),
            ("fbo_return_logistics", "fbs_return_logistics"),
            ("acquiring", "vat"),
        ],
    },
)


class ProductAdmin(ScopedAdmin[Product]):
    """Registered by `apps.backoffice`, which knows what stands beside a product on its page."""

    list_display = [
        *("offer_id", "name", "price_now", "crossed_out", "known_cost", "in_stock"),
        *("marketplace", "article_code", "synced_at"),
    ]
    list_display_links = ["offer_id", "name"]
    exported: ClassVar = {
        "price_now": "price",
        "crossed_out": "old_price",
        "known_cost": "newest_cost",
        "in_stock": "units",
        "marketplace": "sku",
    }
    list_select_related = ["shop", "article"]
    list_filter = ["shop", "is_archived", WithoutCostFilter, ArticleFilter, "brand"]
    search_fields = SEARCHED
    search_help_text = SEARCHED_IN_WORDS
    actions = ["link"]
    inlines = [SettingsInline, ArticleInline, CostInline, PriceChangeInline, ClusterStockInline]
    change_action = Action.EDIT_CATALOG
    audit_name = None  # costs and settings leave their own rows, and nothing else can be changed

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """Everything but costs and settings comes from the marketplace: a sync would overwrite it."""
        shown = ["marketplace", "price_now", "crossed_out", "lowest", "known_cost", "in_stock"]
        return [*shown, "fbo_commission", "fbs_commission", "vat", *(field.name for field in Product._meta.fields)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in super().get_list_display(request) if name != "known_cost" or sees_costs(request)]

    def get_list_filter(self, request: HttpRequest) -> list[ListFilter]:
        return [one for one in super().get_list_filter(request) if one is not WithoutCostFilter or sees_costs(request)]

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Fieldsets:
        figures = ("known_cost", "in_stock", "synced_at") if sees_costs(request) else ("in_stock", "synced_at")
        price: list[Any] = [("price_now", "crossed_out"), ("lowest", "min_price_until"), figures]
        return [IDENTITY, (gettext_lazy("Price"), {"fields": price}), FEES]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """The cost is not even there for those who may not see it: no filter and no order tells of it."""
        newest = Cost.objects.filter(product=OuterRef("pk")).order_by("-starts_on").values("amount")
        last_day = StockSnapshot.objects.filter(product=OuterRef(OuterRef("pk"))).order_by("-day").values("day")
        mornings = StockSnapshot.objects.filter(product=OuterRef("pk"), day=last_day[:1])
        units = mornings.values("product").annotate(units=Sum(F("present") - F("reserved"))).values("units")
        rows = super().get_queryset(request).annotate(units=units[:1])
        return rows.annotate(newest_cost=newest[:1]) if sees_costs(request) else rows

    @display(description=gettext_lazy("price"), ordering="price")
    def price_now(self, product: Product) -> str:
        return _money(product.price, product)

    @display(description=gettext_lazy("crossed-out price"), ordering="old_price")
    def crossed_out(self, product: Product) -> str:
        return _optional(product.old_price, product)

    @display(description=gettext_lazy("minimum price"), ordering="min_price")
    def lowest(self, product: Product) -> str:
        return _optional(product.min_price, product)

    @display(description=gettext_lazy("unit cost"), ordering="newest_cost")
    def known_cost(self, product: WithAnnotations[Product, Figures]) -> str:
        return _money(product.newest_cost, product)

    @display(description=gettext_lazy("in stock"), ordering="units")
    def in_stock(self, product: WithAnnotations[Product, Figures]) -> str:
        return str(UNKNOWN) if product.units is None else formats.whole(product.units)

    @display(description=gettext_lazy("article"), ordering="article__code")
    def article_code(self, product: Product) -> str:
        return product.article.code if hasattr(product, "article") else "—"

    @admin.action(description=gettext_lazy("Link with the same offer id in other shops"), permissions=["change"])
    def link(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        told = link_by_offer_id(list(products.select_related("shop__seller")), by=person_of(request))
        self.message_user(
            request,
            _(
                "Linked: %(linked)s. Without a counterpart in another shop: %(alone)s. With several counterparts, so "
                "that the article has to be written on their pages: %(unclear)s."
            )
            % vars(told),
            messages.SUCCESS if told.linked else messages.WARNING,
        )

    @display(description=gettext_lazy("SKU"), ordering="sku")
    def marketplace(self, product: Product) -> SafeString | str:
        return marketplace_link(product)

    @display(description=gettext_lazy("FBO commission"))
    def fbo_commission(self, product: Product) -> str:
        return _percent(product.fbo_commission_rate)

    @display(description=gettext_lazy("FBS commission"))
    def fbs_commission(self, product: Product) -> str:
        return _percent(product.fbs_commission_rate)

    @display(description=gettext_lazy("VAT"))
    def vat(self, product: Product) -> str:
        return _percent(product.vat_rate)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """Nothing of the product itself is written: a sync may be writing it right now."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        product = form.instance
        if formset.model is ProductSettings:
            formset.save(commit=False)  # which only notes what has changed, for Django's own history
            for row_form in formset.forms:
                if row_form.has_changed():
                    set_settings(product=product, values=row_form.values, by=person_of(request))
            return
        if formset.model is Article:
            formset.save(commit=False)
            for row_form in formset.forms:
                if row_form.has_changed():
                    set_article(product=product, code=row_form.cleaned_data["code"], by=person_of(request))
            return
        for cost in formset.save(commit=False):
            entered = {"amount": cost.amount, "starts_on": cost.starts_on, "currency": product.shop.currency}
            set_cost(product=product, by=person_of(request), **entered)
        for cost in formset.deleted_objects:
            self.remove_cost(request, cost)

    def remove_cost(self, request: HttpRequest, cost: Cost) -> None:
        lock_costs(cost.product.shop)
        audit.record(
            "cost.removed",
            actor=person_of(request),
            shop=cost.product.shop,
            subject=cost.product,
            amount=str(cost.amount),
            currency=cost.currency,
            starts_on=str(cost.starts_on),
        )
        cost.delete()


@admin.register(Cost)
class CostAdmin(AboutProduct[Cost]):
    """All that was ever entered, to look at: a cost is entered on its product's page, or from a file."""

    list_display = ["starts_on", "product", "marketplace", "unit_cost", "entered_by", "entered_at"]
    exported: ClassVar = {"unit_cost": "amount"}
    view_action = Action.SEE_PROFIT
    list_select_related = ["product__shop", "entered_by__user"]
    list_filter = ["product__shop", "entered_by", ("starts_on", DaysFilter)]
    list_filter_submit = True

    @display(description=gettext_lazy("unit cost"), ordering="amount")
    def unit_cost(self, cost: Cost) -> str:
        return _money(cost.amount, cost)


@admin.register(PriceChange)
class PriceChangeAdmin(AboutProduct[PriceChange]):
    list_display = ["seen_at", "product", "marketplace", "before", "after", "source"]
    exported: ClassVar = {"before": "price_from", "after": "price_to"}
    list_select_related = ["product__shop"]
    list_filter = ["product__shop", "source", ("seen_on", DaysFilter)]
    list_filter_submit = True

    @display(description=gettext_lazy("price before"), ordering="price_from")
    def before(self, change: PriceChange) -> str:
        return _money(change.price_from, change, "—")

    @display(description=gettext_lazy("price after"), ordering="price_to")
    def after(self, change: PriceChange) -> str:
        return _money(change.price_to, change)


@admin.register(StockSnapshot)
class StockSnapshotAdmin(AboutProduct[StockSnapshot]):
    list_display = ["day", "product", "marketplace", "warehouse", "present", "reserved"]
    list_select_related = ["product__shop", "warehouse"]
    list_filter = ["product__shop", "warehouse", ("day", NewestDayFilter)]
    list_filter_submit = True
    ordering = ["-day", "product"]

    def newest_day(self, request: HttpRequest) -> date | None:
        return visible(request, StockSnapshot.objects.order_by("-day")).values_list("day", flat=True).first()


class ParticipationInline(HistoryInline[Participation]):
    model = Participation
    fields = ["product", "action_price", "max_action_price", "is_automatic"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participation]:
        return super().get_queryset(request).select_related("product")


@admin.register(Promotion)
class PromotionAdmin(ScopedAdmin[Promotion]):
    list_display = ["title", "starts_at", "ends_at", "frozen_at", "participants"]
    list_filter = ["shop"]
    search_fields = ["title", "=external_id"]
    inlines = [ParticipationInline]


def sees_costs(request: HttpRequest) -> bool:
    return permitted(request, Action.SEE_PROFIT)


def _optional(price: Decimal | None, product: Product) -> str:
    """A price that a product need not have: none is set, once its prices have been read at all."""
    return _money(price, product, UNKNOWN if product.price is None else NOT_SET)


def _percent(rate: Decimal | None) -> str:
    return str(UNKNOWN) if rate is None else formats.percent(rate)


def _money(amount: Decimal | None, row: Product | Cost | PriceChange, unknown: str | Promise = UNKNOWN) -> str:
    return str(unknown) if amount is None else formats.money(amount, row.currency)
