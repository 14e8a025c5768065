"""Products that run out: a condition that is raised once and cleared when it is over."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product
from apps.shops.scoping import SellerQuerySet


class LowStock(models.Model):
    """A product that is to be ordered now. `since_on` is the day on which `level` was reached: what people hear as new.

    The evening's stock alert is the only writer. The row goes when the product is no longer low.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    class Level(models.TextChoices):
        LOW = "low", _("to be ordered")
        OUT = "out", _("out of stock")

    product = models.OneToOneField(
        Product, models.CASCADE, related_name="low_stock", primary_key=True, verbose_name=_("product")
    )
    level = models.CharField(_("level"), max_length=5, choices=Level.choices)
    since_on = models.DateField(_("since"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("low stock")
        verbose_name_plural = _("low stock")
        ordering = ["-since_on"]

    def __str__(self) -> str:
        return f"{self.product} · {self.get_level_display()}"
