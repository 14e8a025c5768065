"""The manifest of the read store, and what it has yet to take in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class StoreVersion(models.Model):
    """One finished file of a shop's store. The one with the highest number that is not damaged answers.

    `as_of` is the moment whose rows it holds; `facts` counts and sums them, as PostgreSQL did. `damaged_at` is set by
    whoever finds that the file is not what was written; the version before it answers then. `layout` says what its
    tables hold: one of another layout than this program's is as good as none.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(
        Shop, models.CASCADE, db_index=False, related_name="store_versions", verbose_name=_("shop")
    )
    number = models.PositiveIntegerField(_("number"))
    file = models.CharField(_("file"), max_length=200)
    size = models.PositiveBigIntegerField(_("bytes"))
    layout = models.PositiveSmallIntegerField(_("layout"), db_default=0)
    facts = models.JSONField(_("counts and sums"))
    is_whole = models.BooleanField(_("built from everything"), help_text=_("otherwise from the days that changed"))
    as_of = models.DateTimeField(_("as of"))
    seconds = models.FloatField(_("built in, seconds"))
    damaged_at = models.DateTimeField(_("found damaged at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of the read store")
        verbose_name_plural = _("versions of the read store")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "number"], name="one_store_version_per_number")]

    def __str__(self) -> str:
        return f"{self.shop_id} · {self.number}"


class StaleDay(models.Model):
    """A day whose orders, lines or expenses have changed: written by triggers of these tables, once per statement, and
    removed with the version that has taken it in.

    Rows are only added and removed, never shared: a writer that has not committed yet keeps its own.
    """

    seller_path: ClassVar[str] = "shop__seller"

    # Without a constraint: the end of a shop is the end of its orders, whose triggers write here once more.
    shop = models.ForeignKey(Shop, models.CASCADE, db_constraint=False, related_name="+", verbose_name=_("shop"))
    day = models.DateField(_("day"))
    changed_at = models.DateTimeField(_("changed at"), db_default=Now())

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("day that the read store lacks")
        verbose_name_plural = _("days that the read store lacks")

    def __str__(self) -> str:
        return f"{self.day}"
