"""Who buys."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.encrypted import SecretField
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Buyer(models.Model):
    """A buyer of a CRM. What names the person is encrypted; the hashes find a row by phone or e-mail (`buyers.py`).

    An erased buyer keeps its row, for the sake of the figures, and nothing that names the person.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="buyers", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    name = SecretField(_("full name"), null=True, blank=True)
    phone = SecretField(_("phone"), null=True, blank=True)
    email = SecretField(_("e-mail"), null=True, blank=True)
    phone_hash = models.CharField(_("hash of the phone"), max_length=64, blank=True, db_default="")
    email_hash = models.CharField(_("hash of the e-mail"), max_length=64, blank=True, db_default="")
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("buyer")
        verbose_name_plural = _("buyers")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_buyer_per_external_id")]
        indexes = [
            models.Index(fields=["shop", "phone_hash"], condition=~Q(phone_hash=""), name="buyers_by_phone"),
            models.Index(fields=["shop", "email_hash"], condition=~Q(email_hash=""), name="buyers_by_email"),
        ]

    def __str__(self) -> str:
        return str(self.external_id)
