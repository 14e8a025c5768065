"""Orders of every channel, their lines, and the daily facts that follow from them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Product, money_field
from apps.common.encrypted import SecretField
from apps.shops.models import Shop
from apps.shops.scoping import SellerQuerySet


class SalesType(models.TextChoices):
    """To whom an order was sold, by the shop's rules."""

    RETAIL = "retail", _("retail")
    B2B = "b2b", _("wholesale")
    EXHIBITION = "exhibition", _("fair")
    INTERNAL = "internal", _("internal")
    UNCLASSIFIED = "unclassified", _("unclassified")


class Source(models.Model):
    """Where orders of a shop come from: Instagram, Telegram, Shopify, a fair; an OZON shop has one, the marketplace.

    `external_id` is the shop's own number of it, or `MARKETPLACE_FROM` + the shop's id for a marketplace, which no CRM
    reaches. `role` is a person's word, which no sync touches: until somebody says it, its orders are unclassified.
    """

    seller_path: ClassVar[str] = "shop__seller"

    MARKETPLACE_FROM: ClassVar[int] = 1000

    class Role(models.TextChoices):
        SALES = "sales", _("sales")
        EXHIBITION = "exhibition", _("a fair: sales of a type of their own")
        HISTORY = "history", _("history only: its buyers are known, its orders are no sales")
        UNKNOWN = "", _("not said yet")

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="sources", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id at the channel"))
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3)
    role = models.CharField(_("counts as"), max_length=12, choices=Role.choices, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("source of orders")
        verbose_name_plural = _("sources of orders")
        ordering = ["external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_source_per_external_id")]

    def __str__(self) -> str:
        return self.name


class Manager(models.Model):
    """Who took an order in, as the CRM names them. What they sell is said in `ManagerPeriod`."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="managers", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    name = models.CharField(_("full name"), max_length=200)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("manager")
        verbose_name_plural = _("managers")
        ordering = ["external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_manager_per_external_id")]

    def __str__(self) -> str:
        return self.name


class ManagerPeriod(models.Model):
    """What a manager sells on the days from `starts_on` (null: always so far) to the day before `ends_on` (null: open).

    A person's word, which no sync touches; dated, so that a change of work leaves the past as it was.
    """

    seller_path: ClassVar[str] = "manager__shop__seller"

    manager = models.ForeignKey(
        Manager, models.CASCADE, db_index=False, related_name="periods", verbose_name=_("manager")
    )
    sales_type = models.CharField(_("sells"), max_length=12, choices=SalesType.choices)
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until (not included)"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("what a manager sells")
        verbose_name_plural = _("what managers sell")
        ordering = ["manager", "starts_on"]
        constraints = [
            ExclusionConstraint(
                name="a_manager_sells_one_type_at_a_time",
                expressions=[
                    # A range of one manager: plain equality would need an extension of PostgreSQL.
                    (Func("manager_id", "manager_id", Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func("starts_on", "ends_on", function="daterange"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(starts_on__lt=F("ends_on")),
                name="a_managers_period_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manager_id} · {self.sales_type}"


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


class Order(models.Model):
    """What a buyer ordered, in one parcel: an OZON posting (several may share an `order_number`) or a CRM order.

    A sale counts on `placed_on`, the shop-zone day it was taken in; a cancellation or a return has its own day,
    `closed_on`, which is null when it happened before the shop was first synced: the marketplace tells no date.
    Orders are counted by distinct `order_number`. `sales_type` follows from source, manager and day by the shop's rules
    (`sales_type.py`). `total` is what the buyer pays, discount and delivery included; `source_updated_at` is the
    channel's own word, null where it says none.
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


class MissingOrder(models.Model):
    """An order that the CRM numbers but that is not in our books: it is not there, or it cannot be counted.

    Numbers are given out without gaps, so that a missing one is noticed; it is looked for again on `look_again_on`.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    external_id = models.PositiveBigIntegerField(_("id in the CRM"))
    reason = models.CharField(_("why"), max_length=300)
    looked_at = models.DateTimeField(_("looked for at"))
    look_again_on = models.DateField(_("looked for again on"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("missing order")
        verbose_name_plural = _("missing orders")
        ordering = ["-external_id"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_missing_order_per_id")]

    def __str__(self) -> str:
        return str(self.external_id)


class DayCheck(models.Model):
    """A day compared with the CRM, order by order: what it has, what was stored before, what is stored since.

    `differences` names the orders that differed, and in what: [{"order", "field", "source", "stored"}].
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    day = models.DateField(_("day"))
    checked_at = models.DateTimeField(_("compared at"))
    source_orders = models.PositiveIntegerField(_("orders in the CRM"))
    source_total = money_field(_("their total"))
    found_orders = models.PositiveIntegerField(_("orders found stored"))
    found_total = money_field(_("total found stored"))
    stored_orders = models.PositiveIntegerField(_("orders stored since"))
    stored_total = money_field(_("total stored since"))
    differences = models.JSONField(_("differences"), default=list, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("day compared with the CRM")
        verbose_name_plural = _("days compared with the CRM")
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="one_check_per_shop_and_day")]

    def __str__(self) -> str:
        return f"{self.day}"
