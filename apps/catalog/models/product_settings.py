"""What the seller wants of one product."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.fields import money_field, rate_field
from apps.catalog.models.products import Product
from apps.shops.models import Person
from apps.shops.scoping import SellerQuerySet


class ProductSettings(models.Model):
    """What the seller wants of one product, where that is not what holds for the whole shop. A person's word.

    Null: the shop's rule holds; there is a row only where something is set. Prices are in the shop's currency, both
    bounds inclusive; `is_repriced` False: its price is never changed. An order for more comes after `lead_days`, is a
    multiple of `pack_size` and at least `min_order`, all in units.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="settings", verbose_name=_("product")
    )
    min_price = money_field(_("lowest price"), null=True, blank=True)
    max_price = money_field(_("highest price"), null=True, blank=True)
    min_margin_rate = rate_field(_("minimum margin"))
    is_repriced = models.BooleanField(_("price may be changed"), null=True, blank=True)
    lead_days = models.PositiveSmallIntegerField(_("days of supply"), null=True, blank=True)
    pack_size = models.PositiveIntegerField(_("order in multiples of"), null=True, blank=True)
    min_order = models.PositiveIntegerField(_("least to order"), null=True, blank=True)
    changed_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed at"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("settings of a product")
        verbose_name_plural = _("settings of products")
        ordering = ["pk"]
        constraints = [  # a null passes
            models.CheckConstraint(condition=Q(min_price__gt=0), name="an_own_lowest_price_is_above_zero"),
            models.CheckConstraint(condition=Q(max_price__gt=0), name="an_own_highest_price_is_above_zero"),
            models.CheckConstraint(condition=Q(min_price__lte=F("max_price")), name="own_prices_leave_room"),
            models.CheckConstraint(
                condition=Q(min_margin_rate__gte=0, min_margin_rate__lt=1), name="an_own_margin_is_a_share"
            ),
            models.CheckConstraint(condition=Q(lead_days__gt=0), name="a_supply_takes_a_day"),
            models.CheckConstraint(condition=Q(pack_size__gt=0), name="a_pack_holds_something"),
            models.CheckConstraint(condition=Q(min_order__gt=0), name="an_order_is_of_something"),
        ]

    def __str__(self) -> str:
        return str(self.product)
