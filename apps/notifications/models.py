"""The outbox: what is to be told to whom. Rows hold ids, never text; the bot process alone sends them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Person, Seller
from apps.shops.scoping import SellerQuerySet


class OutboxMessage(models.Model):
    """One message in one chat. `wanted` grows each time its subject changes; the sender brings `shown` up to it.

    A message that was sent is edited, never sent again. When it is not known whether a send arrived the state is
    `unknown`: cards and alerts then go once more after two minutes, marked as a repeat.
    """

    seller_path: ClassVar[str] = "seller"

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it arrived")
        DEAD = "dead", _("cannot be delivered")
        EXPIRED = "expired", _("too old to be sent")

    key = models.CharField(max_length=200, unique=True)
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="+", verbose_name=_("seller"))
    person = models.ForeignKey(Person, models.CASCADE, related_name="messages", verbose_name=_("recipient"))
    name = models.CharField(_("message"), max_length=60)
    params = models.JSONField(_("ids"), default=dict)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    wanted = models.PositiveIntegerField(_("version wanted"), default=1)
    shown = models.PositiveIntegerField(_("version shown"), default=0)
    due_at = models.DateTimeField(_("not before"), null=True, blank=True)
    put_off_until = models.DateTimeField(_("put off until"), null=True, blank=True)
    expires_at = models.DateTimeField(_("not after"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    telegram_message_id = models.BigIntegerField(null=True, blank=True)
    is_repeat = models.BooleanField(_("sent as a repeat"), default=False)
    earlier_message_ids = models.JSONField(default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="outbox_by_due"),
            models.Index(fields=["subject"], name="outbox_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.person}"
