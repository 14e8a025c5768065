"""Files of costs and settings, between their upload and a person's yes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Person, Shop
from apps.shops.scoping import SellerQuerySet


class SheetImport(models.Model):
    """A file as it was read: what it would change waits here for a person's yes, until `expires_at`.

    `lines` are the rows of the file (`sheet_import.Line`), `header` the titles of its columns. What is entered is what
    lies here, never the file once more.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for confirmation")
        ENTERED = "entered", _("entered")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", verbose_name=_("shop"))
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    header = models.JSONField(_("titles of the columns"))
    lines = models.JSONField(_("rows"))
    uploaded_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded at"))
    expires_at = models.DateTimeField(_("expires at"))
    entered_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("entered by")
    )
    entered_at = models.DateTimeField(_("entered at"), null=True, blank=True)
    entered_count = models.PositiveIntegerField(_("rows entered"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.file_name


class CostImport(SheetImport):
    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of costs")
        verbose_name_plural = _("files of costs")
        ordering = ["-id"]


class SettingsImport(SheetImport):
    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("file of product settings")
        verbose_name_plural = _("files of product settings")
        ordering = ["-id"]
