"""What a unit costs the seller."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.fields import money_field
from apps.catalog.models.products import Product
from apps.shops.models import Person
from apps.shops.scoping import SellerQuerySet


class CostQuerySet(SellerQuerySet["Cost"]):
    def in_force(self, day: date) -> Self:
        """The cost of each product that counts on `day`: the last to start by then."""
        return self.filter(starts_on__lte=day).order_by("product_id", "-starts_on").distinct("product_id")

    def by_product(self) -> dict[int, Decimal]:
        return dict(self.values_list("product_id", "amount"))


class Cost(models.Model):
    """What one unit costs the seller from a day on. A person's word: no sync touches it."""

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="costs", verbose_name=_("product")
    )
    starts_on = models.DateField(_("from"))
    amount = money_field(_("unit cost"))
    currency = models.CharField(_("currency"), max_length=3)
    entered_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("entered by")
    )
    entered_at = models.DateTimeField(_("entered at"), auto_now_add=True)

    objects = CostQuerySet.as_manager()

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("costs")
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["product", "starts_on"], name="one_cost_per_product_and_day"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_cost_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
