"""The inbox of Telegram updates, and the one-time tokens behind buttons."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Person, Seller
from apps.shops.scoping import SellerQuerySet


class TelegramUpdate(models.Model):
    """An update as Telegram sent it, stored before it is answered: the primary key makes a repeat harmless."""

    update_id = models.BigIntegerField(_("number"), primary_key=True)
    chat_id = models.BigIntegerField(_("chat"))
    raw = models.JSONField(_("update"))
    received_at = models.DateTimeField(_("received at"))
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("Telegram update")
        verbose_name_plural = _("Telegram updates")
        ordering = ["-update_id"]
        indexes = [
            models.Index(fields=["chat_id", "update_id"], condition=models.Q(handled_at=None), name="updates_waiting"),
            models.Index(fields=["handled_at"], name="updates_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.update_id)


class ButtonToken(models.Model):
    """What one button in one recipient's card does: opaque in the chat, spent by the press that did something.

    `action` and `params` (ids) say what to do; `group` ties the buttons of one card, so that one press spends them all.
    An edit of the card keeps the tokens of the buttons that it keeps: a card has few rows, however often it changes.
    """

    seller_path: ClassVar[str] = "seller"

    token = models.CharField(max_length=32, primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name=_("person"))
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="+", verbose_name=_("seller"))
    action = models.CharField(_("action"), max_length=40)
    params = models.JSONField(_("ids"), default=dict)
    group = models.CharField(max_length=200, db_index=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), db_index=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("button")
        verbose_name_plural = _("buttons")

    def __str__(self) -> str:
        return self.action
