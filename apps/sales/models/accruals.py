"""What the marketplace paid and charged."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class AccrualType(models.Model):
    """A type of accruals as the marketplace's directory names it."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="accrual_types", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("type of accruals")
        verbose_name_plural = _("types of accruals")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_accrual_type_per_id")]

    def __str__(self) -> str:
        return self.name


class Accrual(models.Model):
    """What the marketplace paid (above zero) or charged (below) for one thing; the rows of an accrual sum up to it.

    `type_code` is "sale", "commission", the number of an `AccrualType`, or "" for what no type explains; `unit_number`
    is the posting or the contract; `sku` is "" where it is for no product.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="accruals", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=40)
    sku = models.CharField(_("SKU"), max_length=40, blank=True)
    type_code = models.CharField(_("type"), max_length=20, blank=True)
    day = models.DateField(_("day"))
    category = models.CharField(_("category"), max_length=40, blank=True)
    unit_number = models.CharField(_("posting or contract"), max_length=100, blank=True)
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="accruals", verbose_name=_("product")
    )
    amount = money_field(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("accrual")
        verbose_name_plural = _("accruals")
        ordering = ["-day", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "external_id", "sku", "type_code"], name="one_accrual_per_id_product_and_type"
            )
        ]
        indexes = [
            models.Index(fields=["shop", "day"], name="accruals_by_day"),
            models.Index(fields=["shop", "unit_number"], name="accruals_by_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.amount} {self.currency}"
