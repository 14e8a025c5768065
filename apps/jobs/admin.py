"""Runs of jobs and syncs, and running one now."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.common import clock
from apps.jobs.ledger import run_now
from apps.jobs.models import JobRun, SyncRun
from apps.shops.roles import Action
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline

SHOP_FILTER = ("shop", admin.RelatedOnlyFieldListFilter)
COLORS = {
    JobRun.State.DONE: "success",
    JobRun.State.FAILED: "danger",
    JobRun.State.RUNNING: "info",
    JobRun.State.PLANNED: "warning",
}
SYNC_COLORS = {
    SyncRun.State.COMPLETE: "success",
    SyncRun.State.INCOMPLETE: "danger",
    SyncRun.State.RUNNING: "info",
}


class SyncRunInline(ScopedInline):
    model = SyncRun
    fields = readonly_fields = ["source", "state", "received", "announced", "written", "bad_count", "error"]
    max_num = 0


@admin.register(JobRun)
class JobRunAdmin(ScopedAdmin):
    list_display = ["job", "shop", "slot", "state_badge", "attempt", "started_at", "took", "error"]
    list_filter: ClassVar = [SHOP_FILTER, "job", "state"]
    list_select_related = ["shop"]
    search_fields = ["slot"]
    inlines = [SyncRunInline]
    actions = ["run_now"]

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, run: JobRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=gettext_lazy("took"))
    def took(self, run: JobRun) -> str:
        if not (run.started_at and run.finished_at):
            return "—"
        return _("%(seconds).1f s") % {"seconds": (run.finished_at - run.started_at).total_seconds()}

    def has_run_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, Action.RUN_JOBS)

    @admin.action(description=gettext_lazy("Run this job now"), permissions=["run"])
    def run_now(self, request: HttpRequest, runs: QuerySet[JobRun]) -> None:
        """Once for each job and shop among the rows that were chosen."""
        chosen = {(run.job, run.shop_id): run for run in runs.exclude(shop=None)}
        for run in chosen.values():
            self.decide(request, _("%(job)s: planned, it starts in a moment.") % {"job": run.job}, self._start_of(run))

    @staticmethod
    def _start_of(run: JobRun) -> Any:
        return lambda member: run_now(job=run.job, shop=run.shop, by=member, as_of=clock.now())


@admin.register(SyncRun)
class SyncRunAdmin(ScopedAdmin):
    list_display = ["source", "shop", "state_badge", "received", "announced", "written", "bad_count", "started_at"]
    list_filter: ClassVar = [SHOP_FILTER, "source", "state"]
    list_select_related = ["shop"]

    @display(description=gettext_lazy("state"), label=SYNC_COLORS, ordering="state")
    def state_badge(self, run: SyncRun) -> tuple[str, str]:
        return run.state, run.get_state_display()
