"""Runs of jobs and syncs, the timetable as it stands for each shop, and running a job now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common import clock, formats
from apps.jobs import due
from apps.jobs.ledger import run_now
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.schedule import entries
from apps.jobs.timetable import Job, find_job, timetable
from apps.shops.asking import permitted, visible
from apps.shops.models import Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import display

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


@dataclass(frozen=True)
class Line:
    """A job of the timetable for one shop: when it comes next, in the shop's zone, and how it went last."""

    job: Job
    shop: Shop
    next_at: datetime | None
    last: JobRun | None

    @property
    def next_due(self) -> str:
        return formats.moment(self.next_at, self.shop.timezone) if self.next_at else _("switched off")

    @property
    def last_started(self) -> str:
        started = self.last.started_at if self.last else None
        return formats.moment(started, self.shop.timezone) if started else "—"

    @property
    def color(self) -> str:
        return COLORS.get(JobRun.State(self.last.state), "default") if self.last else "default"


class SyncRunInline(HistoryInline[SyncRun]):
    model = SyncRun
    fields = ["source", "state", "received", "announced", "written", "bad_count", "error"]


@admin.register(JobRun)
class JobRunAdmin(ScopedAdmin[JobRun]):
    list_display = ["title", "shop", "slot", "state_badge", "attempt", "started_at", "took", "trouble"]
    list_filter = ["shop", "job", "state"]
    list_select_related = ["shop"]
    search_fields = ["slot"]
    inlines = [SyncRunInline]
    actions = ["run_again"]

    def get_urls(self) -> list[URLPattern]:
        page = path("timetable/", self.admin_site.admin_view(self.timetable_view), name="jobs_timetable")
        return [page, *super().get_urls()]

    def timetable_view(self, request: HttpRequest) -> HttpResponse:
        """What runs when; a press starts a job now, also one that never ran."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._start(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timetable"),
            "lines": lines(request, now=clock.now()),
            "may_run": self.has_run_permission(request),
        }
        return TemplateResponse(request, "admin/timetable.html", context)

    def _start(self, request: HttpRequest) -> HttpResponse:
        if not self.has_run_permission(request):
            raise PermissionDenied
        shops = {str(shop.pk): shop for shop in visible(request, Shop.objects.filter(is_active=True))}
        shop, job = shops.get(request.POST.get("shop", "")), find_job(request.POST.get("job", ""))
        if shop is None or job is None:
            raise Http404
        self.start(request, job.name, shop)
        return redirect("admin:jobs_timetable")

    def start(self, request: HttpRequest, job: str, shop: Shop) -> None:
        done = _("%(job)s: planned, it starts in a moment.") % {"job": title_of(job)}
        self.decide(request, done, lambda member: run_now(job=job, shop=shop, by=member, as_of=clock.now()))

    @display(description=gettext_lazy("job"), ordering="job")
    def title(self, run: JobRun) -> str:
        return title_of(run.job)

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, run: JobRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=gettext_lazy("took"))
    def took(self, run: JobRun) -> str:
        if not (run.started_at and run.finished_at):
            return "—"
        return _("%(seconds)s s") % {"seconds": formats.number((run.finished_at - run.started_at).total_seconds())}

    @display(description=gettext_lazy("error"))
    def trouble(self, run: JobRun) -> str:
        return Truncator(run.error).chars(120)

    def has_run_permission(self, request: HttpRequest) -> bool:
        return permitted(request, Action.RUN_JOBS)

    @admin.action(description=gettext_lazy("Run this job now"), permissions=["run"])
    def run_again(self, request: HttpRequest, runs: QuerySet[JobRun]) -> None:
        """Once for each job and shop among the rows that were chosen."""
        for job, shop in {(run.job, run.shop) for run in runs}:
            if shop:
                self.start(request, job, shop)


@admin.register(SyncRun)
class SyncRunAdmin(ScopedAdmin[SyncRun]):
    list_display = ["source", "shop", "state_badge", "received", "announced", "written", "bad_count", "started_at"]
    list_filter = ["shop", "source", "state"]
    list_select_related = ["shop"]

    @display(description=gettext_lazy("state"), label=SYNC_COLORS, ordering="state")
    def state_badge(self, run: SyncRun) -> tuple[str, str]:
        return run.state, run.get_state_display()


def title_of(job: str) -> str:
    found = find_job(job)
    return str(found.title) if found else job


def lines(request: HttpRequest, *, now: datetime) -> list[Line]:
    """The timetable of every shop the person may see, shop by shop, in the order of the day."""
    shops = list(visible(request, Shop.objects.filter(is_active=True)).order_by("seller", "name"))
    next_at = {
        (entry.job.name, entry.shop.pk): due.next_due(entry.cron, entry.zone, now) if entry.cron else None
        for entry in entries()
        if entry.shop
    }
    runs = JobRun.objects.filter(shop__in=shops).order_by("job", "shop_id", "-pk").distinct("job", "shop_id")
    last = {(run.job, run.shop_id): run for run in runs}
    return [
        Line(job, shop, next_at.get((job.name, shop.pk)), last.get((job.name, shop.pk)))
        for shop in shops
        for job in timetable()
        if job.is_for(shop)
    ]
