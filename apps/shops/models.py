"""Sellers, their shops and keys, the people who work there, and the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.encrypted import SecretField
from apps.shops.roles import ALLOWED, Action, Role
from apps.shops.scoping import SellerQuerySet


def validate_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError(
            _("“%(zone)s” is not a time zone; give a name such as Europe/Moscow."), params={"zone": value}
        ) from error


class Language(models.TextChoices):
    """The languages people are spoken to in, each under its own name."""

    RUSSIAN = "ru", "Русский"
    UKRAINIAN = "uk", "Українська"
    ENGLISH = "en", "English"


class Seller(models.Model):
    """A business: owns shops, employs people. Nothing crosses from one seller to another."""

    seller_path: ClassVar[str] = "pk"

    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    """One cabinet at a marketplace or a CRM; its days are days in its zone, its money is in its currency."""

    seller_path: ClassVar[str] = "seller"

    class Kind(models.TextChoices):
        OZON = "ozon", "OZON"
        KEYCRM = "keycrm", "KeyCRM"

    seller = models.ForeignKey(Seller, models.PROTECT, related_name="shops", verbose_name=_("seller"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.OZON)
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Moscow", validators=[validate_zone])
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["seller", "name"]
        constraints = [models.UniqueConstraint(fields=["seller", "name"], name="one_shop_of_a_name_per_seller")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_only_read(self) -> bool:
        """Nothing is ever changed in a CRM."""
        return self.kind == self.Kind.KEYCRM


class CrmRules(models.Model):
    """How a shop in a CRM keeps its books there, where each shop does it its own way. A person's word.

    `lost_statuses` are the ids of statuses that mean cancelled or returned, for orders whose group is not told.
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="crm_rules", verbose_name=_("shop"))
    brand_field = models.CharField(_("custom field of the brand"), max_length=100, blank=True)
    lost_statuses = ArrayField(
        models.PositiveBigIntegerField(), verbose_name=_("statuses of lost orders"), default=list, blank=True
    )

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("rules of a CRM shop")
        verbose_name_plural = _("rules of CRM shops")

    def __str__(self) -> str:
        return str(self.shop)


class Credential(models.Model):
    """A key to one API of a shop, encrypted at rest and masked wherever it is shown.

    Up to three keys at once, so that a change leaves no gap: the one at work; the *next* one, entered and not yet
    checked; and the *former* one, kept until its successor has been seen working. `keys.py` leads them.

    `is_refused` is an open circuit: the marketplace does not take the key, so nothing is asked with it but whether it
    is taken again. A `problem` without it is that of a new key, which had to leave the place to this one. `version`
    grows with each change of the key at work: what is learnt of an older one does not count.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class Api(models.TextChoices):
        OZON_SELLER = "ozon_seller", "OZON Seller API"
        OZON_PERFORMANCE = "ozon_performance", "OZON Performance API"
        KEYCRM = "keycrm", "KeyCRM API"
        ANTHROPIC = "anthropic", "Claude API"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="credentials", verbose_name=_("shop"))
    api = models.CharField(_("API"), max_length=30, choices=Api.choices)
    client_id = models.CharField(_("client id"), max_length=200, blank=True)
    secret = SecretField(_("key"))
    version = models.PositiveIntegerField(default=1)
    next_client_id = models.CharField(_("client id of the next key"), max_length=200, blank=True)
    next_secret = SecretField(_("next key"), null=True, blank=True)
    former_client_id = models.CharField(_("client id of the former key"), max_length=200, blank=True)
    former_secret = SecretField(_("former key"), null=True, blank=True)
    roles = models.JSONField(_("roles"), default=list, blank=True)
    methods = models.JSONField(_("what it may call"), default=list, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True, blank=True)
    ask_at = models.DateTimeField(_("asked about not before"), null=True, blank=True, help_text=_("real time"))
    is_refused = models.BooleanField(_("refused"), default=False)
    problem = models.TextField(_("what is wrong with it"), blank=True)
    problem_at = models.DateTimeField(_("since"), null=True, blank=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("key")
        verbose_name_plural = _("keys")
        constraints = [models.UniqueConstraint(fields=["shop", "api"], name="one_credential_per_shop_and_api")]

    def __str__(self) -> str:
        return f"{self.get_api_display()} · {self.shop}"

    @property
    def is_checkable(self) -> bool:
        """Whether its API can be asked about it."""
        return self.api == self.Api.OZON_SELLER


class KillSwitch(models.Model):
    """Stops every outside change, of one shop or (shop is empty) of the whole installation."""

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(
        Shop, models.CASCADE, null=True, blank=True, related_name="kill_switch", verbose_name=_("shop")
    )
    is_on = models.BooleanField(_("everything is stopped"), default=False)
    changed_by = models.ForeignKey(
        "shops.Person", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("kill switch")
        verbose_name_plural = _("kill switches")
        constraints = [
            models.UniqueConstraint(
                fields=["shop"], name="one_kill_switch_per_shop_and_one_for_all", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return str(self.shop) if self.shop else str(_("the whole installation"))


class Person(models.Model):
    """Somebody who works with Vitrina: a login for the admin and, once linked, a Telegram user."""

    seller_path: ClassVar[str] = "members__seller"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="person", verbose_name=_("login")
    )
    telegram_id = models.BigIntegerField(_("Telegram id"), null=True, blank=True, unique=True)
    language = models.CharField(_("language"), max_length=5, choices=Language.choices, default=Language.RUSSIAN)
    active_seller = models.ForeignKey(
        Seller, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("seller at work with")
    )

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.user.get_full_name() or self.user.get_username()


class MemberQuerySet(SellerQuerySet["Member"]):
    def at_work(self) -> Self:
        """Of each person the membership at the seller they work with now; of who has chosen none, all of them, of which
        the first counts."""
        chosen = models.Q(person__active_seller=None) | models.Q(seller=models.F("person__active_seller"))
        return self.filter(chosen).select_related("person__user", "seller").order_by("id")


class Member(models.Model):
    """A person's role at a seller."""

    seller_path: ClassVar[str] = "seller"

    person = models.ForeignKey(Person, models.CASCADE, related_name="members", verbose_name=_("person"))
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="members", verbose_name=_("seller"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)
    active_shop = models.ForeignKey(
        Shop,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("shop that answers first"),
        help_text=_("Its figures are shown where no shop is named. Without a choice: the seller's first."),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["person", "seller"], name="one_role_per_person_and_seller")]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()}"


class LinkCode(models.Model):
    """A one-time code from the admin that ties a Telegram user to a person. Only its digest is stored."""

    seller_path: ClassVar[str] = "person__members__seller"

    person = models.ForeignKey(Person, models.CASCADE, related_name="link_codes", verbose_name=_("person"))
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("link code")
        verbose_name_plural = _("link codes")

    def __str__(self) -> str:
        return f"{self.person} · {self.expires_at:%d.%m.%Y %H:%M}"


class AuditEntry(models.Model):
    """What happened, who did it: written beside the change, never updated, never deleted (a trigger sees to it)."""

    seller_path: ClassVar[str] = "seller"

    at = models.DateTimeField(_("at"), db_index=True)
    seller = models.ForeignKey(
        Seller, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("seller")
    )
    shop = models.ForeignKey(Shop, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("shop"))
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who"))
    action = models.CharField(_("action"), max_length=100)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    data = models.JSONField(_("data"), default=dict)

    objects = SellerQuerySet.as_manager()

    class Meta:
        db_table = "logs"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["seller", "-id"], name="logs_by_seller"),
            models.Index(fields=["subject"], name="logs_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y %H:%M} · {self.action}"


class SavedFilter(models.Model):
    """The filters, search and order of one list of the admin, which a login has given a name.

    `page` is the list's model ("catalog.product"), `query` what `admin_saved.kept` reads from its address. Without a
    seller for whoever keeps the installation and belongs to none.
    """

    seller_path: ClassVar[str] = "seller"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, related_name="+", verbose_name=_("login")
    )
    seller = models.ForeignKey(
        Seller, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("seller")
    )
    page = models.CharField(_("list"), max_length=100)
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(_("filters, search and order"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "page", "seller", "name"],
                nulls_distinct=False,
                name="one_saved_filter_of_a_name_per_list",
            )
        ]

    def __str__(self) -> str:
        return self.name


def is_stopped(shop: Shop) -> bool:
    """Whether a kill switch, the shop's or the one for all, is on right now."""
    return KillSwitch.objects.filter(models.Q(shop=shop) | models.Q(shop=None), is_on=True).exists()


def member_of(person: Person | None, seller: Seller | None) -> Member | None:
    if person is None or seller is None:
        return None
    return Member.objects.select_related("person__user", "seller").filter(person=person, seller=seller).first()


def members_who_may(seller: Seller, action: Action) -> models.QuerySet[Member]:
    """The members of the team whose role allows `action` and whose login is open."""
    roles = [role for role in Role if action in ALLOWED[role]]
    return seller.members.filter(role__in=roles, person__user__is_active=True)


def active_member(person: Person) -> Member | None:
    """The person's membership at the seller they work with now; the first when none was chosen."""
    return person.members.at_work().first()


def local_time(moment: datetime, shop: Shop) -> datetime:
    return moment.astimezone(ZoneInfo(shop.timezone))
