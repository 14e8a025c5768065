"""What lies where."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.catalog.models.products import Product
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Warehouse(models.Model):
    seller_path: ClassVar[str] = "shop__seller"

    class Scheme(models.TextChoices):
        FBO = "fbo", "FBO"
        FBS = "fbs", "FBS"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="warehouses", verbose_name=_("shop"))
    scheme = models.CharField(_("scheme"), max_length=10, choices=Scheme.choices)
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    name = models.CharField(_("name"), max_length=200, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("warehouse")
        verbose_name_plural = _("warehouses")
        constraints = [
            models.UniqueConstraint(fields=["shop", "scheme", "external_id"], name="one_warehouse_per_external_id")
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_scheme_display()} {self.external_id}"


class Cluster(models.Model):
    """A region that the marketplace delivers in from its own warehouses there."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="clusters", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    name = models.CharField(_("name"), max_length=200, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_cluster_per_external_id")]

    def __str__(self) -> str:
        return self.name or self.external_id


class ClusterStock(models.Model):
    """Units of a product in the marketplace's warehouses of a cluster at `as_of`: the last that was read, no history.

    `units_per_day` is what the cluster sold a day in the last 28, by the marketplace's own count; null: not told.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="cluster_stock", verbose_name=_("product")
    )
    cluster = models.ForeignKey(Cluster, models.CASCADE, related_name="stock", verbose_name=_("cluster"))
    available = models.PositiveIntegerField(_("available"))
    in_preparation = models.PositiveIntegerField(_("being prepared for sale"))
    in_transit = models.PositiveIntegerField(_("on the way"))
    requested = models.PositiveIntegerField(_("in supply requests"))
    returning = models.PositiveIntegerField(_("coming back from buyers"))
    units_per_day = models.DecimalField(_("sold a day"), max_digits=12, decimal_places=3, null=True, blank=True)
    grade = models.CharField(_("turnover grade"), max_length=40, blank=True)
    as_of = models.DateTimeField(_("as of"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock in a cluster")
        verbose_name_plural = _("stock by cluster")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["product", "cluster"], name="one_stock_row_per_cluster")]

    def __str__(self) -> str:
        return f"{self.cluster_id} · {self.available}"


class StockSnapshot(models.Model):
    """Units of a product at a warehouse on the morning of a day.

    The marketplace tells no past: a missed day stays unknown.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="stock", verbose_name=_("product")
    )
    warehouse = models.ForeignKey(Warehouse, models.CASCADE, related_name="stock", verbose_name=_("warehouse"))
    day = models.DateField(_("day"))
    present = models.PositiveIntegerField(_("present"))
    reserved = models.PositiveIntegerField(_("reserved"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "inventory"
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        constraints = [models.UniqueConstraint(fields=["product", "warehouse", "day"], name="one_stock_row_per_day")]
        indexes = [models.Index(fields=["day", "product"], name="inventory_by_day")]

    def __str__(self) -> str:
        return f"{self.day} · {self.present}"
