"""What is to be ordered, to look at."""

from __future__ import annotations

from django.contrib import admin

from apps.inventory.models import LowStock
from apps.shops.scoped_admin import ScopedAdmin


@admin.register(LowStock)
class LowStockAdmin(ScopedAdmin[LowStock]):
    list_display = ["product", "level", "since_on"]
    list_select_related = ["product"]
    list_filter = ["level"]
    search_fields = ["product__offer_id", "product__name"]
