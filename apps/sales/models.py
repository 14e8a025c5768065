"""Orders of every channel, their lines, and the daily facts that follow from them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Order(models.Model):
    """What a buyer ordered, in one parcel: an OZON posting (several may share an `order_number`) or a CRM order.

    A sale counts on `placed_on`, the shop-zone day it was taken in; a cancellation or a return has its own day,
    `closed_on`, which is null when it happened before the shop was first synced: the marketplace tells no date.
    Orders are counted by distinct `order_number`.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class Status(models.TextChoices):
        OPEN = "open", _("on its way")
        DELIVERED = "delivered", _("delivered")
        CANCELLED = "cancelled", _("cancelled")
        RETURNED = "returned", _("returned")

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="orders", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the channel"), max_length=100)
    order_number = models.CharField(_("order number"), max_length=100)
    channel = models.CharField(_("channel"), max_length=40)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices)
    raw_status = models.CharField(_("status at the channel"), max_length=100)
    placed_at = models.DateTimeField(_("placed at"))
    placed_on = models.DateField(_("placed on"))
    closed_on = models.DateField(_("cancelled or returned on"), null=True, blank=True)
    total = money_field(_("total"))
    currency = models.CharField(_("currency"), max_length=3)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "orders"
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_order_per_external_id")]
        indexes = [
            models.Index(fields=["shop", "placed_on"], name="orders_by_day"),
            models.Index(fields=["shop", "closed_on"], name="orders_by_closing_day"),
            models.Index(fields=["shop", "order_number"], name="orders_by_number"),
            models.Index(fields=["shop", "placed_at"], condition=Q(status="open"), name="open_orders"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(models.Model):
    """One product in an order: `price` is per unit, in the order's currency."""

    seller_path: ClassVar[str] = "order__shop__seller"

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, related_name="lines", verbose_name=_("order"))
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="order_lines", verbose_name=_("product")
    )
    external_product_id = models.CharField(_("product id at the channel"), max_length=60)
    name = models.CharField(_("name"), max_length=500)
    quantity = models.PositiveIntegerField(_("quantity"))
    price = money_field(_("price"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "order_lines"
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="one_line_per_position")]
        indexes = [models.Index(fields=["order"], condition=Q(product=None), name="lines_without_product")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


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


class Return(models.Model):
    """Goods of a posting that came back. `returned_on` is the shop's day on which the buyer gave them back, null until
    then. It counts in `DailyFact` unless its order is itself cancelled or returned."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="returns", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=40)
    posting_number = models.CharField(_("posting"), max_length=100)
    sku = models.CharField(_("SKU"), max_length=60)
    quantity = models.PositiveIntegerField(_("quantity"))
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    returned_on = models.DateField(_("returned on"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-returned_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_return_per_external_id")]
        indexes = [
            models.Index(fields=["shop", "returned_on"], name="returns_by_day"),
            models.Index(fields=["shop", "posting_number"], name="returns_by_posting"),
        ]

    def __str__(self) -> str:
        return f"{self.posting_number} · {self.quantity}"


class AccrualType(models.Model):
    """A type of accruals as the marketplace's directory names it."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="accrual_types", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("type of accruals")
        verbose_name_plural = _("types of accruals")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_accrual_type_per_id")]

    def __str__(self) -> str:
        return self.name


class Accrual(models.Model):
    """What the marketplace paid (above zero) or charged (below) for one thing; the rows of an accrual sum up to it.

    `type_code` is "sale", "commission", the number of an `AccrualType`, or "" for what no type explains; `unit_number`
    is the posting or the contract; `sku` is "" where it is for no product.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="accruals", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=40)
    sku = models.CharField(_("SKU"), max_length=40, blank=True)
    type_code = models.CharField(_("type"), max_length=20, blank=True)
    day = models.DateField(_("day"))
    category = models.CharField(_("category"), max_length=40, blank=True)
    unit_number = models.CharField(_("posting or contract"), max_length=100, blank=True)
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="accruals", verbose_name=_("product")
    )
    amount = money_field(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("accrual")
        verbose_name_plural = _("accruals")
        ordering = ["-day", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "external_id", "sku", "type_code"], name="one_accrual_per_id_product_and_type"
            )
        ]
        indexes = [
            models.Index(fields=["shop", "day"], name="accruals_by_day"),
            models.Index(fields=["shop", "unit_number"], name="accruals_by_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.day} · {self.amount} {self.currency}"


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
