"""Products with what the marketplace says of them, their costs and settings, price history and stock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Person, Shop
from apps.shops.scoping import SellerQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def money_field(name: StrOrPromise, **options: object) -> models.DecimalField:
    return models.DecimalField(name, max_digits=14, decimal_places=2, **options)  # type: ignore[arg-type]


def rate_field(name: StrOrPromise) -> models.DecimalField:
    """A fraction (0.22) the marketplace may not have told."""
    return models.DecimalField(name, max_digits=6, decimal_places=4, null=True, blank=True)


class Brand(models.Model):
    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="brands", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=200)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="one_brand_of_a_name_per_shop")]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="categories", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    name = models.CharField(_("name"), max_length=300)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_category_per_external_id")]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A product of one shop. Every column but `id` comes from the marketplace: costs and decisions are elsewhere.

    Money is in the shop's currency; rates are fractions (0.22). Null means the marketplace has not told.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="products", verbose_name=_("shop"))
    external_id = models.CharField(_("product id"), max_length=60)
    offer_id = models.CharField(_("offer id"), max_length=200)
    sku = models.BigIntegerField(_("SKU"), null=True, blank=True)
    family = models.CharField(_("id of the product it is a variant of"), max_length=60, blank=True, db_default="")
    name = models.CharField(_("name"), max_length=500)
    brand = models.ForeignKey(
        Brand, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("brand")
    )
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products", verbose_name=_("category")
    )
    is_archived = models.BooleanField(_("archived"), default=False)
    currency = models.CharField(_("currency"), max_length=3)
    price = money_field(_("price"), null=True, blank=True)
    old_price = money_field(_("crossed-out price"), null=True, blank=True)
    min_price = money_field(_("minimum price"), null=True, blank=True)
    min_price_until = models.DateTimeField(_("minimum price in force until"), null=True, blank=True)
    vat_rate = rate_field(_("VAT"))
    fbo_commission_rate = rate_field(_("FBO commission"))
    fbs_commission_rate = rate_field(_("FBS commission"))
    fbo_logistics = money_field(_("FBO logistics per unit"), null=True, blank=True)
    fbs_logistics = money_field(_("FBS logistics per unit"), null=True, blank=True)
    fbo_return_logistics = money_field(_("FBO logistics of a return"), null=True, blank=True)
    fbs_return_logistics = money_field(_("FBS logistics of a return"), null=True, blank=True)
    acquiring = money_field(_("acquiring per unit"), null=True, blank=True)
    changed_at = models.DateTimeField(
        _("card changed at"), null=True, blank=True, help_text=_("by the clock of the marketplace")
    )
    synced_at = models.DateTimeField(_("as of"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "products"
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="one_product_per_external_id"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gt=0), name="a_price_is_above_zero"),
        ]
        indexes = [
            models.Index(fields=["shop", "sku"], name="products_by_sku"),
            models.Index(fields=["shop", "offer_id"], name="products_by_offer_id"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} · {self.name}"

    def cost_on(self, day: date) -> Decimal | None:
        """The unit cost (COGS) in force on `day`; None when nobody has said."""
        cost = self.costs.in_force(day).first()
        return cost.amount if cost else None


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


class CostQuerySet(SellerQuerySet["Cost"]):
    def in_force(self, day: date) -> Self:
        """The cost of each product that counts on `day`: the last to start by then."""
        return self.filter(starts_on__lte=day).order_by("product_id", "-starts_on").distinct("product_id")

    def by_product(self) -> dict[int, Decimal]:
        return dict(self.values_list("product_id", "amount"))


class Promotion(models.Model):
    """A promotion of the marketplace that products of the shop may take part in, as OZON lists it ("action").

    `ends_at` is null for one without an end. While `frozen_at` is set, prices of its products cannot be raised.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="promotions", verbose_name=_("shop"))
    external_id = models.CharField(_("id at the marketplace"), max_length=60)
    title = models.CharField(_("title"), max_length=300)
    kind = models.CharField(_("kind"), max_length=100)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("frozen from"), null=True, blank=True)
    participants = models.PositiveIntegerField(_("products that take part"), default=0)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "external_id"], name="one_promotion_per_external_id")]

    def __str__(self) -> str:
        return self.title


class Participation(models.Model):
    """A product in a promotion: what it sells at there, and the most it may. `is_automatic`: OZON put it in."""

    seller_path: ClassVar[str] = "product__shop__seller"

    promotion = models.ForeignKey(
        Promotion, models.CASCADE, db_index=False, related_name="participations", verbose_name=_("promotion")
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="participations", verbose_name=_("product"))
    action_price = money_field(_("price in the promotion"), null=True, blank=True)
    max_action_price = money_field(_("highest price in the promotion"), null=True, blank=True)
    is_automatic = models.BooleanField(_("put in by the marketplace"), default=False)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("product in a promotion")
        verbose_name_plural = _("products in promotions")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["promotion", "product"], name="a_product_takes_part_once_in_a_promotion")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} · {self.promotion_id}"


class Cost(models.Model):
    """What one unit costs the seller from a day on. A person's word: no sync touches it."""

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="costs", verbose_name=_("product")
    )
    starts_on = models.DateField(_("from"))
    amount = money_field(_("unit cost"))
    currency = models.CharField(_("currency"), max_length=3)
    entered_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("entered by")
    )
    entered_at = models.DateTimeField(_("entered at"), auto_now_add=True)

    objects = CostQuerySet.as_manager()

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("costs")
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["product", "starts_on"], name="one_cost_per_product_and_day"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_cost_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class ProductSettings(models.Model):
    """What the seller wants of one product, where that is not what holds for the whole shop. A person's word.

    Null: the shop's rule holds; there is a row only where something is set. Prices are in the shop's currency, both
    bounds inclusive; `is_repriced` False: its price is never changed. An order for more comes after `lead_days`, is a
    multiple of `pack_size` and at least `min_order`, all in units.
    """

    seller_path: ClassVar[str] = "product__shop__seller"

    product = models.OneToOneField(
        Product, models.CASCADE, primary_key=True, related_name="settings", verbose_name=_("product")
    )
    min_price = money_field(_("lowest price"), null=True, blank=True)
    max_price = money_field(_("highest price"), null=True, blank=True)
    min_margin_rate = rate_field(_("minimum margin"))
    is_repriced = models.BooleanField(_("price may be changed"), null=True, blank=True)
    lead_days = models.PositiveSmallIntegerField(_("days of supply"), null=True, blank=True)
    pack_size = models.PositiveIntegerField(_("order in multiples of"), null=True, blank=True)
    min_order = models.PositiveIntegerField(_("least to order"), null=True, blank=True)
    changed_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed at"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("settings of a product")
        verbose_name_plural = _("settings of products")
        ordering = ["pk"]
        constraints = [  # a null passes
            models.CheckConstraint(condition=Q(min_price__gt=0), name="an_own_lowest_price_is_above_zero"),
            models.CheckConstraint(condition=Q(max_price__gt=0), name="an_own_highest_price_is_above_zero"),
            models.CheckConstraint(condition=Q(min_price__lte=F("max_price")), name="own_prices_leave_room"),
            models.CheckConstraint(
                condition=Q(min_margin_rate__gte=0, min_margin_rate__lt=1), name="an_own_margin_is_a_share"
            ),
            models.CheckConstraint(condition=Q(lead_days__gt=0), name="a_supply_takes_a_day"),
            models.CheckConstraint(condition=Q(pack_size__gt=0), name="a_pack_holds_something"),
            models.CheckConstraint(condition=Q(min_order__gt=0), name="an_order_is_of_something"),
        ]

    def __str__(self) -> str:
        return str(self.product)


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


class PriceChange(models.Model):
    """A price that was seen to change, with where the change came from."""

    seller_path: ClassVar[str] = "product__shop__seller"

    class Source(models.TextChoices):
        FIRST_SEEN = "first_seen", _("first seen")
        MARKETPLACE = "marketplace", _("changed at the marketplace")
        VITRINA = "vitrina", _("changed by an approved command")

    product = models.ForeignKey(
        Product, models.CASCADE, db_index=False, related_name="price_changes", verbose_name=_("product")
    )
    seen_at = models.DateTimeField(_("seen at"))
    seen_on = models.DateField(_("seen on"))
    price_from = money_field(_("price before"), null=True, blank=True)
    price_to = money_field(_("price after"))
    currency = models.CharField(_("currency"), max_length=3)
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    command_id = models.BigIntegerField(_("command"), null=True, blank=True, unique=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "price_history"
        verbose_name = _("price change")
        verbose_name_plural = _("price history")
        ordering = ["-id"]
        indexes = [models.Index(fields=["product", "-seen_at"], name="price_history_by_product")]

    def __str__(self) -> str:
        return f"{self.price_from} → {self.price_to} {self.currency}"


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
