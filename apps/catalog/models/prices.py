"""How prices have changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.fields import money_field
from apps.catalog.models.products import Product
from apps.shops.scoping import SellerQuerySet


class PriceChange(models.Model):
    """A price that was seen to change, with where the change came from."""

    seller_path: ClassVar[str] = "product__shop__seller"

    class Source(models.TextChoices):
        FIRST_SEEN = "first_seen", _("first seen")
        MARKETPLACE = "marketplace", _("changed at the marketplace")
        VITRINA = "vitrina", _("changed by an approved command")

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="price_changes", verbose_name=_("product")
    )
    seen_at = models.DateTimeField(_("seen at"))
    seen_on = models.DateField(_("seen on"))
    price_from = money_field(_("price before"), null=True, blank=True)
    price_to = money_field(_("price after"))
    currency = models.CharField(_("currency"), max_length=3)
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    command_id = models.BigIntegerField(_("command"), null=True, blank=True, unique=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "price_history"
        verbose_name = _("price change")
        verbose_name_plural = _("price history")
        ordering = ["-id"]
        indexes = [models.Index(fields=["product", "-seen_at"], name="price_history_by_product")]

    def __str__(self) -> str:
        return f"{self.price_from} → {self.price_to} {self.currency}"
