"""Where orders come from, who takes them, and what they count as."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class SalesType(models.TextChoices):
    """To whom an order was sold, by the shop's rules."""

    RETAIL = "retail", _("retail")
    B2B = "b2b", _("wholesale")
    EXHIBITION = "exhibition", _("fair")
    INTERNAL = "internal", _("internal")
    UNCLASSIFIED = "unclassified", _("unclassified")


class Source(models.Model):
    """Where orders of a shop come from: Instagram, Telegram, Shopify, a fair; an OZON shop has one, the marketplace.

    `external_id` is the shop's own number of it, or `MARKETPLACE_FROM` + the shop's id for a marketplace, which no CRM
    reaches. `role` is a person's word, which no sync touches: until somebody says it, its orders are unclassified.
    """

    seller_path: ClassVar[str] = "shop__seller"

    MARKETPLACE_FROM: ClassVar[int] = 1000

    class Role(models.TextChoices):
        SALES = "sales", _("sales")
        EXHIBITION = "exhibition", _("a fair: sales of a type of their own")
        HISTORY = "history", _("history only: its buyers are known, its orders are no sales")
        UNKNOWN = "", _("not said yet")

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="sources", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id at the channel"))
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3)
    role = models.CharField(_("counts as"), max_length=12, choices=Role.choices, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("source of orders")
        verbose_name_plural = _("sources of orders")
        ordering = ["external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_source_per_external_id")]

    def __str__(self) -> str:
        return self.name


class Manager(models.Model):
    """Who took an order in, as the CRM names them. What they sell is said in `ManagerPeriod`."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="managers", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    name = models.CharField(_("full name"), max_length=200)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("manager")
        verbose_name_plural = _("managers")
        ordering = ["external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_manager_per_external_id")]

    def __str__(self) -> str:
        return self.name


class ManagerPeriod(models.Model):
    """What a manager sells on the days from `starts_on` (null: always so far) to the day before `ends_on` (null: open).

    A person's word, which no sync touches; dated, so that a change of work leaves the past as it was.
    """

    seller_path: ClassVar[str] = "manager__shop__seller"

    manager = models.ForeignKey(
        Manager, models.CASCADE, db_index=False, related_name="periods", verbose_name=_("manager")
    )
    sales_type = models.CharField(_("sells"), max_length=12, choices=SalesType.choices)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until (not included)"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("what a manager sells")
        verbose_name_plural = _("what managers sell")
        ordering = ["manager", "starts_on"]
        constraints = [
            ExclusionConstraint(
                name="a_manager_sells_one_type_at_a_time",
                expressions=[
                    # A range of one manager: plain equality would need an extension of PostgreSQL.
                    (Func("manager_id", "manager_id", Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func("starts_on", "ends_on", function="daterange"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(starts_on__lt=F("ends_on")),
                name="a_managers_period_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manager_id} · {self.sales_type}"
