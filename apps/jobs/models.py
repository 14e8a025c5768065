"""The ledger of scheduled runs and of syncs."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.common.clock import real_now
from apps.common.periods import Period
from apps.jobs.timetable import find_job
from apps.jobs.troubles import say
from apps.shops.models import Person, Shop
from apps.shops.scoping import SellerQuerySet

MANUAL = "manual:"


class JobRun(models.Model):
    """One run of a job for a slot. Claiming the slot is the right to run: a slot is never done twice.

    `slot` is the shop's local date for daily jobs ("2026-03-02"), the UTC minute for finer ones
    ("2026-03-02T06:00Z"), and "manual:<uuid>" for runs that a person asked for: `started_by`, or whoever has the
    command line. `first_on` and `last_on` are the days, passed by then, that such a run is about; without them it is
    about `as_of`, as a scheduled one is. `late` is how long after its moment the slot was claimed, in business time.

    planned -> running -> done | failed          running -> planned (tried again after an error)
    planned -> skipped (too late) | failed (what it needs did not come)

    Who runs it holds a lease, in real time; what it writes is fenced by `lease_version`. A running run whose lease is
    over is anybody's: its worker died, or it handed the rest on to the next slice.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")

    job = models.CharField(_("job"), max_length=100)
    shop = models.ForeignKey(
        Shop, models.CASCADE, null=True, blank=True, related_name="job_runs", verbose_name=_("shop")
    )
    slot = models.CharField(_("slot"), max_length=60)
    as_of = models.DateTimeField(_("as of"), help_text=_("the business moment the run works for"))
    late = models.DurationField(_("claimed late by"), default=timedelta(0), db_default=timedelta(0))
    first_on = models.DateField(_("first day"), null=True, blank=True)
    last_on = models.DateField(_("last day"), null=True, blank=True)
    started_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("started by")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PLANNED)
    due_at = models.DateTimeField(_("not before"), default=real_now, help_text=_("real time"))
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    lease_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    progress = models.JSONField(_("progress"), default=dict, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    problem = models.JSONField(_("error"), default=dict, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "shop", "slot"], name="one_run_per_slot", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(first_on=None, last_on=None)
                | Q(first_on__isnull=False, last_on__isnull=False, first_on__lte=F("last_on")),
                name="days_have_both_ends",
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="runs_by_lease")]

    def __str__(self) -> str:
        job = find_job(self.job)
        return f"{job.title if job else self.job} · {_('by hand') if self.is_manual else self.slot}"

    @property
    def error(self) -> str:
        """Why it waits, failed or was left out, in the active language; "" for no reason."""
        return say(self.problem)

    @property
    def is_manual(self) -> bool:
        return self.slot.startswith(MANUAL)

    @property
    def days(self) -> Period | None:
        return Period(self.first_on, self.last_on) if self.first_on and self.last_on else None

    @property
    def started_late(self) -> timedelta | None:
        """How long after its moment a scheduled run was first taken up; None before that."""
        return self.late + (self.started_at - self.created_at) if self.started_at else None


class Pulse(models.Model):
    """When a part of the clockwork was last seen at work, in real time: the clock itself, or a queue's worker."""

    part = models.CharField(_("part"), max_length=60, primary_key=True)
    at = models.DateTimeField(_("last seen at"))

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")

    def __str__(self) -> str:
        return f"{self.part} · {self.at:%d.%m.%Y %H:%M:%S}"


class Hint(models.Model):
    """Something at a marketplace that is worth reading again now. It says what, never how it stands: that is for the
    API to say. One row however often it is hinted at, `created_at` the last time; it goes when it was read since."""

    seller_path: ClassVar[str] = "shop__seller"

    class Topic(models.TextChoices):
        POSTING = "posting", _("posting")
        PRODUCT = "product", _("product")
        ORDER = "order", _("order")

    shop = models.ForeignKey(Shop, models.CASCADE, db_index=False, related_name="+", verbose_name=_("shop"))
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    subject = models.CharField(_("id at the marketplace"), max_length=60)
    created_at = models.DateTimeField(_("created at"), default=real_now)

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("hint")
        verbose_name_plural = _("hints")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["shop", "topic", "subject"], name="a_thing_is_hinted_at_once")]

    def __str__(self) -> str:
        return f"{self.topic} · {self.subject}"


class SyncRun(models.Model):
    """One pass over one kind of data of a shop: a chain of short slices, each committing rows with the cursor.

    Complete only with the end marker seen and as many rows received as announced. An incomplete run never deletes,
    never moves a watermark, never feeds a decision.
    """

    seller_path: ClassVar[str] = "shop__seller"

    class Source(models.TextChoices):
        """What is read, by the names that the syncs give it."""

        ACCOUNT = "account", _("the shop's account")
        CATEGORIES = "categories", _("categories")
        PRODUCTS = "products", _("products")
        ARCHIVED_PRODUCTS = "archived_products", _("archived products")
        MINIMUMS = "minimums", _("minimum prices")
        PROMOTIONS = "promotions", _("promotions")
        PARTICIPATIONS = "participations", _("products in promotions")
        STOCK = "stock", _("stock")
        FBO_POSTINGS = "fbo_postings", _("FBO postings")
        FBO_POSTINGS_AGAIN = "fbo_postings_again", _("FBO postings, read again")
        FBS_POSTINGS = "fbs_postings", _("FBS postings")
        FBS_POSTINGS_AGAIN = "fbs_postings_again", _("FBS postings, read again")
        FBS_CHANGES = "fbs_changes", _("changes of FBS postings")
        RETURNS = "returns", _("returns")
        FACTS = "facts", _("sales by day, computed")
        FACTS_AGAIN = "facts_again", _("sales by day, computed again")
        CROSSCHECK = "crosscheck", _("comparison with OZON's analytics")
        ACCRUAL_TYPES = "accrual_types", _("types of accruals")
        ACCRUALS = "accruals", _("accruals")
        CLUSTER_STOCK = "cluster_stock", _("stock by cluster")
        SOURCES = "sources", _("sources of orders")
        MANAGERS = "managers", _("managers")
        EXPENSE_TYPES = "expense_types", _("types of expenses")
        OFFERS = "offers", _("variants of products")
        FAMILIES = "families", _("families of products")
        ORDERS = "orders", _("all orders")
        ORDERS_UPDATED = "orders_updated", _("orders that were changed")
        ORDERS_CREATED = "orders_created", _("orders that are new")
        ORDER_GAPS = "order_gaps", _("missing orders")
        DAYS_AGAIN = "days_again", _("comparison of the last days")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        COMPLETE = "complete", _("complete")
        INCOMPLETE = "incomplete", _("incomplete")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="sync_runs", verbose_name=_("shop"))
    job_run = models.ForeignKey(
        JobRun, models.SET_NULL, null=True, blank=True, related_name="sync_runs", verbose_name=_("job run")
    )
    source = models.CharField(_("source"), max_length=60, choices=Source.choices)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.RUNNING)
    cursor = models.TextField(_("read up to"), blank=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    received = models.PositiveIntegerField(_("rows received"), default=0)
    announced = models.PositiveIntegerField(_("rows announced"), null=True, blank=True)
    written = models.PositiveIntegerField(_("rows written"), default=0)
    bad_rows = models.JSONField(_("rows that could not be read"), default=list, blank=True)
    bad_count = models.PositiveIntegerField(_("number of bad rows"), default=0)
    error = models.TextField(_("error"), blank=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    as_of = models.DateTimeField(_("as of"), help_text=_("the business moment the data is as of"))

    objects = SellerQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["shop", "source", "-id"], name="syncs_by_source")]

    def __str__(self) -> str:
        return f"{self.get_source_display()} · {self.as_of:%d.%m.%Y}"
