"""Sales by day, and which days are known or to be computed again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class DailyFact(models.Model):
    """One product on one shop-zone day that has ended, rebuilt whole from order lines and stock snapshots.

    There is a row where something is known: a sale, a cancellation, a return, or the stock of a morning.
    `units` and `revenue` are what was ordered that day; `cancelled_units` and `returned_units` are how many of those
    were cancelled or returned since. `cancellations` and `returns` are the units that were cancelled or came back *on*
    that day, whenever ordered; null for days before the shop was first synced. `in_stock` is true when there was
    stock that morning and the next, false when one of the two was empty, null when it is not known.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="daily_facts", verbose_name=_("product")
    )
    day = models.DateField(_("day"))
    units = models.PositiveIntegerField(_("units ordered"), default=0)
    revenue = money_field(_("revenue"), default=0)
    cancelled_units = models.PositiveIntegerField(_("of these cancelled"), default=0)
    cancelled_revenue = money_field(_("revenue cancelled"), default=0)
    returned_units = models.PositiveIntegerField(_("of these returned"), default=0)
    returned_revenue = money_field(_("revenue returned"), default=0)
    cancellations = models.PositiveIntegerField(_("cancelled on the day"), null=True, blank=True)
    returns = models.PositiveIntegerField(_("returned on the day"), null=True, blank=True)
    in_stock = models.BooleanField(_("in stock"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "sales"
        verbose_name = _("daily fact")
        verbose_name_plural = _("daily facts")
        constraints = [models.UniqueConstraint(fields=["product", "day"], name="one_fact_per_product_and_day")]

    def __str__(self) -> str:
        return f"{self.day} · {self.units}"


class SalesHistory(models.Model):
    """From which day on a shop's sales are known. Written by the first sync, never moved afterwards.

    `events_from` is the first day whose cancellations and returns are known by their own day: the day on which the
    history was read for the first time to its end.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="sales_history", verbose_name=_("shop"))
    sales_from = models.DateField(_("sales known from"))
    events_from = models.DateField(_("cancellations and returns known from"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("sales history")
        verbose_name_plural = _("sales histories")

    def __str__(self) -> str:
        return f"{self.shop} · {self.sales_from}"


class TouchedDay(models.Model):
    """A day whose facts are to be rebuilt: written with the rows that touch it, removed with the rebuilt facts."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    day = models.DateField(_("day"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("touched day")
        verbose_name_plural = _("touched days")
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="a_day_is_touched_once")]

    def __str__(self) -> str:
        return f"{self.day}"
