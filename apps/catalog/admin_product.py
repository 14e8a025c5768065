"""What lists share that tell of products: a row is found by its product, and leads to it at the marketplace."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.catalog.models import Product
from apps.shops.asking import visible
from apps.shops.models import Shop
from apps.shops.scoped_admin import ScopedAdmin
from apps.shops.typed_unfold import Row, display

SEARCHED = ["offer_id", "name", "=sku", "=external_id"]
"""What a product is found by."""
SEARCHED_IN_WORDS = gettext_lazy("SKU, offer id or name")
UNKNOWN = gettext_lazy("unknown")


class AboutProduct(ScopedAdmin[Row]):
    """A list whose rows are each about a product. It finds the products first, which are few beside the rows.

    `numbers` are the fields of a row itself that it is found by as well, when they are given whole.
    """

    search_fields = SEARCHED
    search_help_text = SEARCHED_IN_WORDS
    numbers: ClassVar[tuple[str, ...]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        search: Any = super().get_search_results  # which searches the rows of any model by the fields above
        products, _may_repeat = search(request, visible(request, Product.objects.all()), term)
        numbered = [Q(**{f"{name}__iexact": term}) for name in self.numbers]
        return queryset.filter(Q.create([self.is_about(products), *numbered], Q.OR)), False

    def is_about(self, products: QuerySet[Product]) -> Q:
        return Q(product__in=products)

    @display(description=gettext_lazy("SKU"), ordering="product__sku")
    def marketplace(self, row: Row) -> SafeString | str:
        return marketplace_link(row.product)  # type: ignore[attr-defined]  # or the list overrides it


def marketplace_link(product: Product | None) -> SafeString | str:
    """The product's page in the shop window, for whoever doubts what is said here."""
    return sku_link(product.sku, product.shop) if product else "—"


def sku_link(sku: int | str | None, shop: Shop) -> SafeString | str:
    if not sku or shop.kind != Shop.Kind.OZON:
        return "—"
    link = '<a href="{}" target="_blank" rel="noopener noreferrer" class="text-primary-600 underline">{}</a>'
    return format_html(link, f"https://www.ozon.ru/product/{sku}", sku)
