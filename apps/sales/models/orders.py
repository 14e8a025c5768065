"""Orders with their lines and expenses."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.sales.models.buyers import Buyer
from apps.sales.models.sources import Manager, SalesType, Source
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class Order(models.Model):
    """What a buyer ordered, in one parcel: an OZON posting (several may share an `order_number`) or a CRM order.

    A sale counts on `placed_on`, the shop-zone day it was taken in; a cancellation or a return has its own day,
    `closed_on`, which is null when it happened before the shop was first synced: the marketplace tells no date.
    Orders are counted by distinct `order_number`. `sales_type` follows from source, manager and day by the shop's rules
    (`sales_type.py`). `total` is what the buyer pays, discount and delivery included, `received` what of it has come;
    `source_updated_at` is the channel's own word. Either is null where the channel says nothing of it.
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
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, blank=True, db_index=False, related_name="orders", verbose_name=_("source")
    )
    sales_type = models.CharField(
        _("sales type"), max_length=12, choices=SalesType.choices, db_default=SalesType.RETAIL, default=SalesType.RETAIL
    )
    manager = models.ForeignKey(
        Manager,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="orders",
        verbose_name=_("manager"),
    )
    buyer = models.ForeignKey(
        Buyer, models.SET_NULL, null=True, blank=True, related_name="orders", verbose_name=_("buyer")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices)
    raw_status = models.CharField(_("status at the channel"), max_length=100)
    placed_at = models.DateTimeField(_("placed at"))
    placed_on = models.DateField(_("placed on"))
    closed_on = models.DateField(_("cancelled or returned on"), null=True, blank=True)
    total = money_field(_("total"))
    received = money_field(_("received from the buyer"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    source_updated_at = models.DateTimeField(_("changed at the channel"), null=True, blank=True)

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
    """One product in an order: `price` is per unit, in the order's currency.

    `unit_cost` is what the channel said of its purchase price when the line was first seen; null: not told.
    """

    seller_path: ClassVar[str] = "order__shop__seller"

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, related_name="lines", verbose_name=_("order"))
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, blank=True, related_name="order_lines", verbose_name=_("product")
    )
    external_product_id = models.CharField(_("product id at the channel"), max_length=60)
    name = models.CharField(_("name"), max_length=500)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)
    price = money_field(_("price"))
    unit_cost = money_field(_("unit cost"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "order_lines"
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="one_line_per_position")]
        indexes = [models.Index(fields=["order"], condition=Q(product=None), name="lines_without_product")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class ExpenseType(models.Model):
    """A type of expenses as the CRM's directory names it; `alias` is its code."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="expense_types", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    name = models.CharField(_("name"), max_length=200)
    alias = models.CharField(_("code"), max_length=200, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("type of expenses")
        verbose_name_plural = _("types of expenses")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_expense_type_per_id")]

    def __str__(self) -> str:
        return self.name


class Expense(models.Model):
    """What an order cost the shop beside its goods: delivery, a fee. It counts on the day of its order."""

    seller_path: ClassVar[str] = "order__shop__seller"

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, related_name="expenses", verbose_name=_("order"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    type = models.ForeignKey(
        ExpenseType, models.PROTECT, null=True, blank=True, related_name="expenses", verbose_name=_("type")
    )
    amount = money_field(_("amount"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("expense")
        verbose_name_plural = _("expenses")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["order", "external_id"], name="one_expense_per_order_and_id")]

    def __str__(self) -> str:
        return f"{self.amount}"
