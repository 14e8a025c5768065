"""Personal tokens for programs, and the milestones that the page celebrates."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import money_field
from apps.shops.models import Member, Person, Shop
from apps.shops.scoping import SellerQuerySet


class ApiToken(models.Model):
    """What a program says instead of a login: it acts as this member of this team, and never approves anything.

    Only the digest of its text is stored; `prefix` is for a person to recognise it. It ends with `expires_at`, with
    `revoked_at`, or with the membership.
    """

    seller_path: ClassVar[str] = "member__seller"

    class Scope(models.TextChoices):
        READ = "read", _("read")
        PROPOSE = "propose", _("read and propose")

    member = models.ForeignKey(Member, models.CASCADE, related_name="api_tokens", verbose_name=_("member"))
    name = models.CharField(_("what it is for"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(_("may"), max_length=10, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used at"), null=True, blank=True, help_text=_("to the hour"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} · {self.prefix}…"

    def is_open(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now


def amounts_field(name: object, default: object) -> ArrayField:
    """Amounts of money in the shop's currency, ascending or not."""
    amount: models.DecimalField = models.DecimalField(
        max_digits=14, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    return ArrayField(amount, verbose_name=name, default=default, blank=True, size=20)  # type: ignore[arg-type]


def usual_daily() -> list[Decimal]:
    return [Decimal(200_000)]


def usual_weekly() -> list[Decimal]:
    return [Decimal(500_000), Decimal(700_000), Decimal(1_000_000)]


def usual_monthly() -> list[Decimal]:
    return [Decimal(1_000_000), Decimal(2_000_000), Decimal(3_000_000), Decimal(5_000_000)]


class Milestones(models.Model):
    """The revenues of a day, a week and a month that a shop celebrates. A shop without a row has the usual ones."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="milestones", verbose_name=_("shop"))
    daily = amounts_field(_("revenue of a day"), usual_daily)
    weekly = amounts_field(_("revenue of a week"), usual_weekly)
    monthly = amounts_field(_("revenue of a month"), usual_monthly)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestones")
        verbose_name_plural = _("milestones")

    def __str__(self) -> str:
        return str(self.shop)


class Celebration(models.Model):
    """A milestone that a person has celebrated: once in each period."""

    seller_path: ClassVar[str] = "shop__seller"

    class Span(models.TextChoices):
        DAILY = "daily", _("day")
        WEEKLY = "weekly", _("week")
        MONTHLY = "monthly", _("month")

    person = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name=_("person"))
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", verbose_name=_("shop"))
    span = models.CharField(_("period"), max_length=10, choices=Span.choices)
    starts_on = models.DateField(_("first day"))
    amount = money_field(_("amount"))
    at = models.DateTimeField(_("at"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("celebration")
        verbose_name_plural = _("celebrations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "shop", "span", "starts_on", "amount"], name="a_milestone_is_celebrated_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.amount}"
