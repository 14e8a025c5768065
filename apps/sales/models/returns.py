"""What came back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Return(models.Model):
    """Goods of a posting that came back. `returned_on` is the shop's day on which the buyer gave them back, null until
    then. It counts in `DailyFact` unless its order is itself cancelled or returned."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="returns", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=40)
    posting_number = models.CharField(_("posting"), max_length=100)
    sku = models.CharField(_("SKU"), max_length=60)
    quantity = models.PositiveIntegerField(_("quantity"))
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    returned_on = models.DateField(_("returned on"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-returned_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_return_per_external_id")]
        indexes = [
            models.Index(fields=["shop", "returned_on"], name="returns_by_day"),
            models.Index(fields=["shop", "posting_number"], name="returns_by_posting"),
        ]

    def __str__(self) -> str:
        return f"{self.posting_number} · {self.quantity}"
