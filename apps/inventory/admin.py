"""What is to be ordered, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from apps.catalog.admin_product import AboutProduct
from apps.inventory.models import LowStock
from apps.shops.typed_unfold import display

COLORS = {LowStock.Level.LOW: "warning", LowStock.Level.OUT: "danger"}


@admin.register(LowStock)
class LowStockAdmin(AboutProduct[LowStock]):
    list_display = ["product", "marketplace", "level_badge", "since_on"]
    list_select_related = ["product__shop"]
    list_filter = ["level"]

    @display(description=gettext_lazy("level"), label=COLORS, ordering="level")
    def level_badge(self, row: LowStock) -> tuple[str, str]:
        return row.level, row.get_level_display()
