"""Proposals, the people's decisions on them, the commands that carry them out, and a shop's rules for deciding."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import money_field
from apps.decisions.kinds import kind_of, payload_of
from apps.shops.models import Member, Shop, members_who_may
from apps.shops.roles import Action
from apps.shops.scoping import SellerQuerySet

ONE_HUNDREDTH, ONE = Decimal("0.01"), Decimal(1)


class DecisionRules(models.Model):
    """How a shop decides. Rates are fractions: 0.05 is 5 %. A limit that is empty holds nothing back.

    Two people are asked for above any of `two_above_*`; `moved_rate` is how far costs and fees may move the floor or
    the profit under a card before it is out of date; `together_worst` is the loss a day, in the worst case, up to which
    cards may be applied together (empty: no summary is sent).
    """

    seller_path: ClassVar[str] = "shop__seller"

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="decision_rules", verbose_name=_("shop"))
    two_above_step_rate = models.DecimalField(
        _("two people above a step of"),
        max_digits=6,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(ONE)],
        help_text=_("A fraction of the price: 0.05 is 5 %."),
    )
    two_above_money = money_field(
        _("two people above a gain or loss per day of"),
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Of the expected effect and of the worst case; where neither is known, two people are asked."),
    )
    two_above_products = models.PositiveSmallIntegerField(
        _("two people above so many products a day"), null=True, blank=True
    )
    moved_rate = models.DecimalField(
        _("out of date when floor or profit move by"),
        max_digits=6,
        decimal_places=4,
        default=Decimal("0.05"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(ONE)],
        help_text=_("A fraction: 0.05 is 5 %."),
    )
    undo_minutes = models.PositiveSmallIntegerField(
        _("minutes for an undo"), default=10, validators=[MaxValueValidator(24 * 60)]
    )
    together_worst = money_field(
        _("apply together down to a worst case per day of minus"),
        null=True,
        blank=True,
        validators=[MinValueValidator(ONE_HUNDREDTH)],
        help_text=_("Empty: every card is decided on by itself."),
    )
    drift_minutes = models.PositiveSmallIntegerField(
        _("minutes until a price is looked at again"),
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
    )

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("rules for deciding")
        verbose_name_plural = _("rules for deciding")

    def __str__(self) -> str:
        return str(self.shop)

    @property
    def asks_for_two(self) -> bool:
        limits = (self.two_above_step_rate, self.two_above_money, self.two_above_products)
        return any(limit is not None for limit in limits)

    def clean(self) -> None:
        """Refuses to ask for two people where only one may approve: nothing above the limit could ever be done."""
        if self.asks_for_two and self.shop_id and members_who_may(self.shop.seller, Action.APPROVE).count() < 2:
            raise ValidationError(
                _("Two people cannot be asked for: only one member of the team may approve. Add another first.")
            )


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
    undo_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )
    undo_until = models.DateTimeField(
        _("undo possible until"), null=True, blank=True, help_text=_("business time; empty when it is over")
    )
    undo_problem = models.JSONField(_("why it was not undone"), default=dict, blank=True)
    look_at = models.DateTimeField(
        _("looked at again at"), null=True, blank=True, help_text=_("business time; empty when nothing is due")
    )
    drifted_at = models.DateTimeField(_("found changed at"), null=True, blank=True, help_text=_("business time"))
    drift = models.JSONField(_("value found instead"), default=dict, blank=True)
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
        indexes = [
            models.Index(fields=["state", "due_at"], name="commands_by_due"),
            models.Index(fields=["undo_until"], condition=Q(undo_until__isnull=False), name="commands_to_undo"),
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="commands_to_look_at"),
        ]

    def __str__(self) -> str:
        return kind_of(self).in_words(payload_of(self))

    @property
    def may_be_applied(self) -> bool:
        """Whether there was a send that did not certainly come to nothing."""
        return self.attempts.exclude(outcome=Attempt.Outcome.NOT_APPLIED).exists()


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


class Batch(models.Model):
    """Proposals that one member was asked to apply together, as they stood when asked, and what became of each.

    `asked` is a list of {"proposal": id, "hash": payload hash}; `outcomes`, in the same order, of
    {"proposal": id, "code": one of `Outcome`, "problem": {...}}.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("applied")
        ONE_MORE = "one_more", _("one more person has to agree")
        REFUSED = "refused", _("refused")
        STALE = "stale", _("out of date")
        LEFT_OUT = "left_out", _("left out")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="batches", verbose_name=_("shop"))
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", verbose_name=_("member"))
    day = models.DateField(_("day"))
    asked = models.JSONField(_("asked for"))
    effect = money_field(_("expected effect per day"))
    worst_case = money_field(_("worst case per day"))
    asked_at = models.DateTimeField(_("asked at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    outcomes = models.JSONField(_("what became of them"), default=list, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch of decisions")
        verbose_name_plural = _("batches of decisions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.member} · {self.day}"
