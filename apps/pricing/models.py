"""A shop's pricing rules, and why a price was recommended."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product
from apps.decisions.models import Proposal
from apps.experiments.verdicts import LENGTHS
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def rate_field(name: StrOrPromise, default: str, low: str, high: str) -> models.DecimalField:
    return models.DecimalField(
        name,
        max_digits=6,
        decimal_places=4,
        default=Decimal(default),
        validators=[MinValueValidator(Decimal(low)), MaxValueValidator(Decimal(high))],
    )


class PricingSettings(models.Model):
    """What the owner of a shop lets prices do. Rates are fractions: 0.10 is 10 %."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="pricing", verbose_name=_("shop"))
    min_margin_rate = rate_field(_("minimum margin"), "0.10", "0", "0.90")
    max_step_rate = rate_field(_("largest step"), "0.10", "0.01", "0.15")
    tax_rate = rate_field(_("tax on revenue"), "0", "0", "0.50")
    days_between_changes = models.PositiveSmallIntegerField(_("days between changes of a product"), default=21)
    cards_per_day = models.PositiveSmallIntegerField(_("cards a day at most"), default=10)
    experiment_days = models.PositiveSmallIntegerField(
        _("days of an experiment"), default=7, choices=[(days, str(days)) for days in LENGTHS]
    )

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("pricing rules")
        verbose_name_plural = _("pricing rules")

    def __str__(self) -> str:
        return str(self.shop)


class PriceRecommendation(models.Model):
    """The frozen facts, the reasons and the choice behind a price proposal. JSON: money as decimal strings."""

    seller_path: ClassVar[str] = "proposal__shop__seller"

    proposal = models.OneToOneField(
        Proposal, models.CASCADE, related_name="price_recommendation", verbose_name=_("proposal")
    )
    product = models.ForeignKey(Product, models.PROTECT, related_name="recommendations", verbose_name=_("product"))
    facts = models.JSONField(_("facts"))
    reasons = models.JSONField(_("reasons"), default=list)
    choice = models.JSONField(_("choice"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "price_recommendations"
        verbose_name = _("price recommendation")
        verbose_name_plural = _("price recommendations")
        ordering = ["-proposal_id"]

    def __str__(self) -> str:
        return str(self.product)
