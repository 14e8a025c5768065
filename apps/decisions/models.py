"""Proposals, the people's decisions on them, and the commands that carry them out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import money_field
from apps.decisions.kinds import kind_of, payload_of
from apps.shops.models import Member, Shop
from apps.shops.scoping import SellerQuerySet


class Proposal(models.Model):
    """A change somebody may decide on: what, from, to, and what it is expected to do per day.

    `payload` is the kind's own record (absolute values only), `payload_hash` binds a decision to exactly this content.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class State(models.TextChoices):
        PENDING = "pending", _("waiting for a decision")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        SUPERSEDED = "superseded", _("replaced by a newer one")
        STALE = "stale", _("out of date")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="proposals", verbose_name=_("shop"))
    kind = models.CharField(_("kind"), max_length=40)
    target = models.CharField(_("target"), max_length=100)
    payload = models.JSONField(_("payload"))
    payload_hash = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.PENDING)
    needed = models.PositiveSmallIntegerField(_("approvals needed"), default=1)
    currency = models.CharField(_("currency"), max_length=3)
    effect = money_field(_("expected effect per day"), null=True, blank=True)
    effect_low = money_field(_("effect, low end"), null=True, blank=True)
    effect_high = money_field(_("effect, high end"), null=True, blank=True)
    worst_case = money_field(_("worst case per day"), null=True, blank=True)
    proposed_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("proposed by")
    )
    reverses = models.ForeignKey(
        "decisions.Command",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        verbose_name=_("rolls back"),
    )
    created_at = models.DateTimeField(_("created at"))
    checks = models.JSONField(_("guardrails passed when proposed"), default=list, blank=True)
    data_as_of = models.DateTimeField(_("data as of"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    outcome = models.JSONField(_("why it ended"), default=dict, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "target"], condition=Q(state="pending"), name="one_pending_proposal_per_target"
            )
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="proposals_by_expiry")]

    def __str__(self) -> str:
        return kind_of(self).in_words(payload_of(self))


class Approval(models.Model):
    """One member's word on a proposal."""

    seller_path: ClassVar[str] = "proposal__shop__seller"

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("approve")
        REJECT = "reject", _("reject")

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="approvals", verbose_name=_("proposal"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("member"))
    verdict = models.CharField(_("decision"), max_length=10, choices=Verdict.choices)
    at = models.DateTimeField(_("at"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [models.UniqueConstraint(fields=["proposal", "member"], name="one_word_per_member_and_proposal")]

    def __str__(self) -> str:
        return f"{self.member} · {self.get_verdict_display()}"


class Command(models.Model):
    """One outside write and its story. Intent is committed before the call, a read-back alone makes it verified.

    queued -> sending -> sent | unknown -> reconciling -> verified | queued (resend) | rejected | needs_human
    queued -> superseded | cancelled
    """

    seller_path: ClassVar[str] = "shop__seller"

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent, not yet verified")
        UNKNOWN = "unknown", _("sent, answer unclear")
        RECONCILING = "reconciling", _("being read back")
        VERIFIED = "verified", _("verified")
        REJECTED = "rejected", _("rejected by the marketplace")
        NEEDS_HUMAN = "needs_human", _("needs a person")
        SUPERSEDED = "superseded", _("replaced by a newer one")
        CANCELLED = "cancelled", _("not sent")

    LIVE: ClassVar[tuple[str, ...]] = ("queued", "sending", "sent", "unknown", "reconciling")

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="command", verbose_name=_("proposal"))
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="commands", verbose_name=_("shop"))
    kind = models.CharField(_("kind"), max_length=40)
    target = models.CharField(_("target"), max_length=100)
    payload = models.JSONField(_("payload"))
    payload_hash = models.CharField(max_length=64)
    checks = models.JSONField(_("guardrails passed when approved"), default=list, blank=True)
    account = models.CharField(_("account"), max_length=200, help_text=_("client id of the key it was approved for"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    writes = models.PositiveSmallIntegerField(_("sends"), default=0)
    reads = models.PositiveSmallIntegerField(_("read-backs"), default=0)
    due_at = models.DateTimeField(_("next step not before"), help_text=_("real time"))
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    lease_version = models.PositiveIntegerField(default=0)
    seen = models.JSONField(_("last value read back"), null=True, blank=True)
    problem = models.JSONField(_("problem"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True, help_text=_("business time"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "target"],
                condition=Q(state__in=["queued", "sending", "sent", "unknown", "reconciling"]),
                name="one_live_command_per_target",
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="commands_by_due")]

    def __str__(self) -> str:
        return kind_of(self).in_words(payload_of(self))


class Attempt(models.Model):
    """One send of a command: the row is committed before the call, its outcome after. Counts against the quota."""

    seller_path: ClassVar[str] = "command__shop__seller"

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", _("unknown")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")
        NOT_APPLIED = "not_applied", _("certainly not applied")

    command = models.ForeignKey(Command, models.PROTECT, related_name="attempts", verbose_name=_("command"))
    number = models.PositiveSmallIntegerField(_("number"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    checks = models.JSONField(_("guardrails passed right before"), default=list, blank=True)
    request = models.JSONField(_("request"), default=dict, blank=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.UNKNOWN)
    answer = models.JSONField(_("answer"), default=dict, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["command", "number"], name="one_attempt_per_number")]

    def __str__(self) -> str:
        return f"{self.number} · {self.get_outcome_display()}"


class ReadBack(models.Model):
    """A live value as the marketplace told it, before a send (`after_sends` 0) or after so many of them."""

    seller_path: ClassVar[str] = "command__shop__seller"

    command = models.ForeignKey(Command, models.PROTECT, related_name="read_backs", verbose_name=_("command"))
    at = models.DateTimeField(_("at"), help_text=_("business time"))
    after_sends = models.PositiveSmallIntegerField(_("after so many sends"))
    value = models.JSONField(_("value"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("read-back")
        verbose_name_plural = _("read-backs")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.after_sends} · {self.at:%H:%M:%S}"
