"""What a shop sells."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.fields import money_field, rate_field
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Brand(models.Model):
    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="brands", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=200)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="one_brand_of_a_name_per_shop")]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="categories", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    name = models.CharField(_("name"), max_length=300)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_category_per_external_id")]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A product of one shop. Every column but `id` comes from the marketplace: costs and decisions are elsewhere.

    Money is in the shop's currency; rates are fractions (0.22). Null means the marketplace has not told.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="products", verbose_name=_("shop"))
    external_id = models.CharField(_("product id"), max_length=60)
    offer_id = models.CharField(_("offer id"), max_length=200)
    sku = models.BigIntegerField(_("SKU"), null=True, blank=True)
    family = models.CharField(_("id of the product it is a variant of"), max_length=60, blank=True, db_default="")
    name = models.CharField(_("name"), max_length=500)
    brand = models.ForeignKey(
        Brand, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("brand")
    )
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("category")
    )
    is_archived = models.BooleanField(_("archived"), default=False)
    currency = models.CharField(_("currency"), max_length=3)
    price = money_field(_("price"), null=True, blank=True)
    old_price = money_field(_("crossed-out price"), null=True, blank=True)
    min_price = money_field(_("minimum price"), null=True, blank=True)
    min_price_until = models.DateTimeField(_("minimum price in force until"), null=True, blank=True)
    vat_rate = rate_field(_("VAT"))
    fbo_commission_rate = rate_field(_("FBO commission"))
    fbs_commission_rate = rate_field(_("FBS commission"))
    fbo_logistics = money_field(_("FBO logistics per unit"), null=True, blank=True)
    fbs_logistics = money_field(_("FBS logistics per unit"), null=True, blank=True)
    fbo_return_logistics = money_field(_("FBO logistics of a return"), null=True, blank=True)
    fbs_return_logistics = money_field(_("FBS logistics of a return"), null=True, blank=True)
    acquiring = money_field(_("acquiring per unit"), null=True, blank=True)
    changed_at = models.DateTimeField(
        _("card changed at"), null=True, blank=True, help_text=_("by the clock of the marketplace")
    )
    synced_at = models.DateTimeField(_("as of"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "products"
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="one_product_per_external_id"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gt=0), name="a_price_is_above_zero"),
        ]
        indexes = [
            models.Index(fields=["shop", "sku"], name="products_by_sku"),
            models.Index(fields=["shop", "offer_id"], name="products_by_offer_id"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} · {self.name}"

    def cost_on(self, day: date) -> Decimal | None:
        """The unit cost (COGS) in force on `day`; None when nobody has said."""
        cost = self.costs.in_force(day).first()
        return cost.amount if cost else None
