"""How our books compare with the CRM's."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import money_field
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class MissingOrder(models.Model):
    """An order that the CRM numbers but that is not in our books: it is not there, or it cannot be counted.

    Numbers are given out without gaps, so that a missing one is noticed; it is looked for again on `look_again_on`.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    reason = models.CharField(_("why"), max_length=300)
    looked_at = models.DateTimeField(_("looked for at"))
    look_again_on = models.DateField(_("looked for again on"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("missing order")
        verbose_name_plural = _("missing orders")
        ordering = ["-external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_missing_order_per_id")]

    def __str__(self) -> str:
        return str(self.external_id)


class DayCheck(models.Model):
    """A day compared with the CRM, order by order: what it has, what was stored before, what is stored since.

    `differences` names the orders that differed, and in what: [{"order", "field", "source", "stored"}].
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    day = models.DateField(_("day"))
    checked_at = models.DateTimeField(_("compared at"))
    source_orders = models.PositiveIntegerField(_("orders in the CRM"))
    source_total = money_field(_("their total"))
    found_orders = models.PositiveIntegerField(_("orders found stored"))
    found_total = money_field(_("total found stored"))
    stored_orders = models.PositiveIntegerField(_("orders stored since"))
    stored_total = money_field(_("total stored since"))
    differences = models.JSONField(_("differences"), default=list, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("day compared with the CRM")
        verbose_name_plural = _("days compared with the CRM")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="one_check_per_shop_and_day")]

    def __str__(self) -> str:
        return f"{self.day}"
