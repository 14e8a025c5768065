"""A product's page with what its article does in the seller's other shops."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.catalog.admin import ProductAdmin
from apps.common import clock
from apps.sales.channels import DAYS, channels


class ProductInShopsAdmin(ProductAdmin):
    change_form_before_template = "admin/channels.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Django's last step before the page, which knows the product."""
        product = context["original"]
        found = channels([product], now=clock.now()) if product else {}
        context |= {"channels": found.get(product.pk, []) if product else [], "channel_days": DAYS}
        return super().render_change_form(request, context, *args, **kwargs)
