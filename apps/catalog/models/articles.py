"""What is sold in several shops at once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.products import Product
from apps.shops.models import Person
from apps.shops.scoping import SellerQuerySet


class Article(models.Model):
    """Which thing a product is, where other products of the seller are the same thing, mostly in other shops: those of
    one `code`, the seller's own word for it. A person's word, which no sync touches.

    What is known of a product stays its own: two shops may have two currencies, or show the same shelf.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="article", verbose_name=_("product")
    )
    code = models.CharField(_("article"), max_length=200, db_index=True)
    linked_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("linked by")
    )
    linked_at = models.DateTimeField(_("linked at"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("article in several shops")
        verbose_name_plural = _("articles in several shops")
        ordering = ["code", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(code=""), name="an_article_has_a_code")]

    def __str__(self) -> str:
        return self.code
