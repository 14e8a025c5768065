"""The outbox: what is to be told to whom. Rows hold ids to render from, and keep what was shown; the bot process alone
sends them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.shops.models import Person, Seller
from apps.shops.scoping import SellerQuerySet


class OutboxMessage(models.Model):
    """One message to one person. `wanted` grows each time its subject changes; the sender brings `shown` up to it.

    pending -> sending -> sent (and again, to edit)
    sending -> pending (certainly not sent) | unknown -> sending, marked as a repeat -> sent | lost
    pending -> expired; sending -> dead
    """

    seller_path: ClassVar[str] = "seller"

    class Name(models.TextChoices):
        PROPOSAL_CARD = "proposal_card", _("price card")
        PROPOSAL_SUMMARY = "proposal_summary", _("the day's price cards")
        VERDICT_CARD = "verdict_card", _("verdict")
        COMMAND_ENDED = "command_ended", _("end of a change")
        PRICE_DRIFT = "price_drift", _("price changed by somebody else")
        DAILY_REPORT = "daily_report", _("daily report")
        STOCK_ALERT = "stock_alert", _("time to order")
        JOB_FAILED = "job_failed", _("failed job")
        JOB_LATE = "job_late", _("late job")
        JOB_SKIPPED = "job_skipped", _("skipped job")
        KEY_EXPIRES = "key_expires", _("key about to expire")
        KEY_PROBLEM = "key_problem", _("trouble with a key")
        QUEUE_SILENT = "queue_silent", _("silent queue")
        CLOCK_STOPPED = "clock_stopped", _("stopped clock")
        TOO_FEW_PEOPLE = "too_few_people", _("too few people to approve")
        CRM_UNSEEN = "crm_unseen", _("news in the CRM that nobody has explained")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it arrived")
        LOST = "lost", _("sent twice, not known whether it arrived")
        DEAD = "dead", _("cannot be delivered")
        EXPIRED = "expired", _("too old to be sent")

    LIVE: ClassVar[tuple[str, ...]] = ("pending", "sending", "sent", "unknown")

    key = models.CharField(max_length=200, unique=True)
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="+", verbose_name=_("seller"))
    person = models.ForeignKey(Person, models.CASCADE, related_name="messages", verbose_name=_("recipient"))
    name = models.CharField(_("message"), max_length=60, choices=Name.choices)
    params = models.JSONField(_("ids"), default=dict)
    subject = models.CharField(_("subject"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    wanted = models.PositiveIntegerField(_("version wanted"), default=1)
    shown = models.PositiveIntegerField(_("version shown"), default=0)
    due_at = models.DateTimeField(_("not before"), null=True, blank=True, help_text=_("business time"))
    put_off_until = models.DateTimeField(_("put off until"), null=True, blank=True, help_text=_("business time"))
    expires_at = models.DateTimeField(_("not after"), null=True, blank=True, help_text=_("business time"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True, blank=True, help_text=_("real time: in hand, or at rest, until then"))
    message_ids = models.JSONField(
        default=list, blank=True, help_text=_("Telegram's messages that show it, the newest last")
    )
    texts = models.JSONField(
        _("texts shown"),
        default=list,
        blank=True,
        help_text=_("as it was sent and edited: `at` (real time), `text` (HTML)"),
    )
    is_repeat = models.BooleanField(_("sent as a repeat"), default=False)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["person"],
                condition=Q(state__in=("pending", "sending", "sent", "unknown"), shown__lt=F("wanted")),
                name="outbox_waiting",
            ),
            models.Index(fields=["subject"], name="outbox_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()} → {self.person}"
