"""Experiments: what an approved change is measured by."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.common import formats
from apps.decisions.models import Command, Proposal
from apps.experiments.verdicts import LENGTHS
from apps.shops.models import Member, Shop
from apps.shops.scoping import SellerQuerySet


class Experiment(models.Model):
    """One product after one verified change: `starts_on` is the first full day, `days` whole days are measured.

    `economics` is frozen at the start: money as decimal strings, rates as fractions.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class Kind(models.TextChoices):
        PRICE = "price", _("price")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        JUDGED = "judged", _("judged, waiting for a decision")
        STOPPED = "stopped", _("stopped, waiting for a decision")
        KEPT = "kept", _("kept")
        ROLLING_BACK = "rolling_back", _("being rolled back")
        ROLLED_BACK = "rolled_back", _("rolled back")
        VOID = "void", _("void")

    LIVE: ClassVar[tuple[str, ...]] = ("running", "judged", "stopped", "rolling_back")
    WAITING: ClassVar[tuple[str, ...]] = ("judged", "stopped")
    """Somebody has to say what becomes of the price."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="experiments", verbose_name=_("shop"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="experiments", verbose_name=_("product"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.PRICE)
    command = models.OneToOneField(Command, models.PROTECT, related_name="experiment", verbose_name=_("command"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.RUNNING)
    starts_on = models.DateField(_("first full day"))
    days = models.PositiveSmallIntegerField(_("days"), default=7)
    stopped_on = models.DateField(_("stopped on"), null=True, blank=True)
    price_from = money_field(_("price before"))
    price_to = money_field(_("price after"))
    currency = models.CharField(_("currency"), max_length=3)
    economics = models.JSONField(_("unit economics at the start"))
    rollback = models.OneToOneField(
        Proposal,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rolls_back_experiment",
        verbose_name=_("rollback"),
    )
    decided_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    void_reason = models.CharField(_("why it is void"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "experiments"
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["product"],
                condition=Q(state__in=["running", "judged", "stopped", "rolling_back"]),
                name="one_live_experiment_per_product",
            ),
            models.CheckConstraint(condition=Q(days__in=LENGTHS), name="an_experiment_runs_whole_weeks"),
        ]

    def __str__(self) -> str:
        prices = (formats.money(price, self.currency) for price in (self.price_from, self.price_to))
        return f"{self.product} · {' → '.join(prices)}"

    @property
    def ends_on(self) -> date:
        """The last measured day."""
        return self.starts_on + timedelta(days=self.days - 1)

    @property
    def longer(self) -> tuple[int, ...]:
        """The lengths that it can be extended to, in days."""
        return tuple(days for days in LENGTHS if days > self.days)

    def days_over(self, today: date) -> int:
        """How many of its days are over on `today`, which is not; a stop ends the count."""
        until = min(filter(None, (today, self.stopped_on)))
        return min(max((until - self.starts_on).days, 0), self.days)


class Verdict(models.Model):
    """What a review on the morning of `as_of` said: the fields that the message and the admin are written from.

    `effect*` are relative to `basis` (0.12 = +12 % of the profit before), `per_day*` money per day, `log_likelihood` is
    over the elasticity grid of `verdicts.py`. Null is unknown.
    """

    seller_path: ClassVar[str] = "experiment__shop__seller"

    class Result(models.TextChoices):
        SUCCESS = "SUCCESS", _("success")
        FAILED = "FAILED", _("failed")
        NEUTRAL = "NEUTRAL", _("neutral")
        INCONCLUSIVE = "INCONCLUSIVE", _("inconclusive")

    class Advice(models.TextChoices):
        KEEP = "keep", _("keep")
        ROLL_BACK = "roll_back", _("roll back")
        EXTEND = "extend", _("extend")

    class Basis(models.TextChoices):
        PROFIT = "PROFIT", _("of the profit before")
        TURNOVER = "TURNOVER", _("of the turnover before")
        REVENUE = "REVENUE", _("of the revenue before; the profit is unknown")

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="verdicts", verbose_name=_("experiment"))
    as_of = models.DateField(_("as of the morning of"))
    result = models.CharField(_("verdict"), max_length=12, choices=Result.choices)
    lean = models.CharField(_("lean"), max_length=10, choices=Advice.choices, blank=True)
    advice = models.CharField(_("advice"), max_length=10, choices=Advice.choices, blank=True)
    reasons = models.JSONField(_("reasons"), default=list)
    basis = models.CharField(_("effects are"), max_length=10, choices=Basis.choices)
    probability = models.FloatField(_("probability that the new price is better"))
    prior_probability = models.FloatField(_("the same before any sale"))
    effect = models.FloatField(_("effect"))
    effect_low = models.FloatField(_("effect, low end"))
    effect_high = models.FloatField(_("effect, high end"))
    loss_if_kept = models.FloatField(_("expected loss if kept"))
    loss_if_rolled_back = models.FloatField(_("expected loss if rolled back"))
    per_day = money_field(_("money per day"), null=True, blank=True)
    per_day_low = money_field(_("money per day, low end"), null=True, blank=True)
    per_day_high = money_field(_("money per day, high end"), null=True, blank=True)
    observed = models.PositiveIntegerField(_("units observed"))
    expected = models.FloatField(_("units expected without the change"))
    shop_change = models.FloatField(_("change of the whole shop"), null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(_("valid days"))
    inferred_days = models.PositiveSmallIntegerField(_("days whose stock is inferred"))
    controls = models.PositiveIntegerField(_("untouched products compared with"))
    log_likelihood = ArrayField(models.FloatField(), verbose_name=_("log-likelihood"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = ["-as_of"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "as_of"], name="one_verdict_per_experiment_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.result} · {self.as_of}"
