"""The marketplace's promotions and what takes part in them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.fields import money_field
from apps.catalog.models.products import Product
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Promotion(models.Model):
    """A promotion of the marketplace that products of the shop may take part in, as OZON lists it ("action").

    `ends_at` is null for one without an end. While `frozen_at` is set, prices of its products cannot be raised.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="promotions", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    title = models.CharField(_("title"), max_length=300)
    kind = models.CharField(_("kind"), max_length=100)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("frozen from"), null=True, blank=True)
    participants = models.PositiveIntegerField(_("products that take part"), default=0)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_promotion_per_external_id")]

    def __str__(self) -> str:
        return self.title


class Participation(models.Model):
    """A product in a promotion: what it sells at there, and the most it may. `is_automatic`: OZON put it in."""

    seller_path: ClassVar[str] = "product__shop__seller"

    promotion = models.ForeignKey(
        Promotion, models.CASCADE, db_index=False, related_name="participations", verbose_name=_("promotion")
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="participations", verbose_name=_("product"))
    action_price = money_field(_("price in the promotion"), null=True, blank=True)
    max_action_price = money_field(_("highest price in the promotion"), null=True, blank=True)
    is_automatic = models.BooleanField(_("put in by the marketplace"), default=False)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("product in a promotion")
        verbose_name_plural = _("products in promotions")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["promotion", "product"], name="a_product_takes_part_once_in_a_promotion")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} · {self.promotion_id}"
