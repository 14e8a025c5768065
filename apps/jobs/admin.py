"""The history of jobs and syncs, and running a job now, once more, or for days that have passed."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import DateField, DateTimeField, F, Func, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import BaseDialogForm

from apps.common import clock, formats
from apps.jobs import by_hand
from apps.jobs.by_hand import Errand
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.timetable import Job, find_job, timetable
from apps.jobs.timetable_page import COLORS, DaysForm, lines
from apps.shops.admin_buttons import button
from apps.shops.asking import permitted, visible
from apps.shops.days_filter import DaysFilter
from apps.shops.models import Member, Shop
from apps.shops.roles import Action
from apps.shops.scoped_admin import HistoryInline, ScopedAdmin
from apps.shops.typed_unfold import RowAction, display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

DAILY = re.compile(r"\d{4}-\d\d-\d\d")
SYNC_COLORS = {
    SyncRun.State.COMPLETE: "success",
    SyncRun.State.INCOMPLETE: "danger",
    SyncRun.State.RUNNING: "info",
}


class Rows(TypedDict):
    """What a list of runs adds to its rows: the sums of the run's syncs; None of a run that syncs nothing."""

    received: int | None
    written: int | None
    bad: int | None


class JobFilter(admin.SimpleListFilter):
    title = gettext_lazy("job")
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(job.name, str(job.title)) for job in timetable()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        return queryset.filter(job=self.value()) if self.value() else queryset


class DayFilter(DaysFilter):
    """By the day, in its shop's zone, that a run worked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("day")

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        wanted = self.wanted(request, "day")
        if not wanted:
            return queryset
        zone = Coalesce(F("shop__timezone"), Value(settings.TIME_ZONE))
        wall = Func(zone, F(self.field_path), function="timezone", output_field=DateTimeField())
        return queryset.annotate(day=Cast(wall, DateField())).filter(**wanted)


class SyncRunInline(HistoryInline[SyncRun]):
    model = SyncRun
    fields = ["source", "state", "received", "announced", "written", "bad_count", "error"]


def _seconds(run: JobRun) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.started_at and run.finished_at else None


@admin.register(JobRun)
class JobRunAdmin(ScopedAdmin[JobRun]):
    list_display = [
        *("title", "shop", "about", "state_badge", "trouble", "began", "took", "rows", "how_far", "attempt", "who"),
    ]
    exported: ClassVar = {
        "began": "started_at",
        "took": {gettext_lazy("took, s"): _seconds},
        "rows": {
            gettext_lazy("received"): "received",
            gettext_lazy("written"): "written",
            gettext_lazy("bad"): "bad",
        },
    }
    list_filter = [JobFilter, "shop", "state", ("as_of", DayFilter)]
    list_filter_submit = True  # the days are typed
    list_select_related = ["shop", "started_by__user"]
    search_fields = ["slot", "problem"]
    inlines = [SyncRunInline]
    actions = ["run_again"]
    actions_detail = ["repeat_this"]
    fieldsets: ClassVar = [
        (None, {"fields": [("title", "shop"), ("about", "state"), ("how_far", "rows"), "reason"]}),
        (gettext_lazy("When"), {"fields": [("as_of", "began"), ("made", "ended"), "took"]}),
        (gettext_lazy("Who"), {"fields": ["who"]}),
        (
            gettext_lazy("For the technician"),
            {"fields": [("slot", "attempt"), ("due_at", "lease_until"), "progress", "result"]},
        ),
    ]
    readonly_fields = ["title", "about", "how_far", "rows", "began", "made", "ended", "took", "who", "reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobRun]:
        """The sums are asked for each row that is shown; joined they would be made for all that there are."""
        counts = {"received": "received", "written": "written", "bad": "bad_count"}
        syncs = SyncRun.objects.filter(job_run=OuterRef("pk")).order_by().values("job_run")
        sums = {to: syncs.annotate(sum=Sum(of)).values("sum") for to, of in counts.items()}
        return super().get_queryset(request).annotate(**sums)

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
            "days": DaysForm(),
        }
        return TemplateResponse(request, "admin/timetable.html", context)

    def _start(self, request: HttpRequest) -> HttpResponse:
        if not self.has_run_permission(request):
            raise PermissionDenied
        shops = {str(shop.pk): shop for shop in visible(request, Shop.objects.filter(is_active=True))}
        shop, job = shops.get(request.POST.get("shop", "")), find_job(request.POST.get("job", ""))
        if shop is None or job is None:
            raise Http404
        self.start(request, job, shop, DaysForm(request.POST))
        return redirect("admin:jobs_timetable")

    def start(self, request: HttpRequest, job: Job, shop: Shop, days: DaysForm) -> None:
        now = clock.now()
        self.decide(request, planned(job.title), lambda member: by_hand.start(days.errand(job, shop, now), by=member))

    @display(description=gettext_lazy("job"), ordering="job")
    def title(self, run: JobRun) -> str:
        return title_of(run.job)

    @display(description=gettext_lazy("state"), label=COLORS, ordering="state")
    def state_badge(self, run: JobRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=gettext_lazy("slot"), ordering="slot")
    def about(self, run: JobRun) -> str:
        """The day, or the days; who asked stands in a column of its own, not an id."""
        if run.days:
            return unbroken(formats.days(run.days.first, run.days.last))
        if run.is_manual:
            return _("by hand")
        return unbroken(formats.day(date.fromisoformat(run.slot))) if DAILY.fullmatch(run.slot) else run.slot

    @display(description=gettext_lazy("started at"), ordering="started_at")
    def began(self, run: JobRun) -> str:
        return stamped(run, run.started_at)

    @display(description=gettext_lazy("created at"))
    def made(self, run: JobRun) -> str:
        return stamped(run, run.created_at)

    @display(description=gettext_lazy("finished at"))
    def ended(self, run: JobRun) -> str:
        return stamped(run, run.finished_at)

    @display(description=gettext_lazy("took"))
    def took(self, run: JobRun) -> str:
        seconds = _seconds(run)
        return "—" if seconds is None else _("%(seconds)s s") % {"seconds": formats.number(seconds)}

    @display(description=gettext_lazy("received / written / bad"))
    def rows(self, run: WithAnnotations[JobRun, Rows]) -> str:
        counts = (run.received, run.written, run.bad)
        return " / ".join("—" if count is None else formats.whole(count) for count in counts) if any(counts) else "—"

    @display(description=gettext_lazy("progress"))
    def how_far(self, run: JobRun) -> str:
        """Where a run that is under way, or ended before its end, has got to."""
        stage, done, total = (run.progress.get(name) for name in ("stage", "done", "total"))
        if run.state == JobRun.State.DONE or not stage:
            return "—"
        source = str(dict(SyncRun.Source.choices).get(stage, stage))
        if not total or done is None:
            return source
        share = f"{source}: {formats.percent(min(done / total, 1))}"
        left = run.progress.get("seconds_left")
        if not left:
            return share
        return _("%(share)s, about %(minutes)s min left") % {"share": share, "minutes": -(-left // 60)}

    @display(description=gettext_lazy("started by"), ordering="started_by")
    def who(self, run: JobRun) -> str:
        if run.started_by:
            return str(run.started_by)
        return _("command line") if run.is_manual else _("the clock")

    @display(description=gettext_lazy("error"))
    def trouble(self, run: JobRun) -> str:
        return Truncator(run.error).chars(70)

    @display(description=gettext_lazy("error"))
    def reason(self, run: JobRun) -> str:
        return run.error or "—"

    def has_run_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return permitted(request, Action.RUN_JOBS)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[RowAction]:
        """A button only where there is something to repeat."""
        is_repeatable = JobRun.objects.filter(pk=object_id, state__in=by_hand.REPEATABLE).exists()
        return super().get_actions_detail(request, object_id) if is_repeatable else []

    @admin.action(description=gettext_lazy("Run this job now"), permissions=["run"])
    def run_again(self, request: HttpRequest, runs: QuerySet[JobRun]) -> None:
        """Once for each job and shop among the rows that were chosen."""
        for name, shop in {(run.job, run.shop) for run in runs}:
            job = find_job(name)
            if job and shop:
                self.start(request, job, shop, DaysForm({}))

    @button(
        gettext_lazy("Run again"),
        question=gettext_lazy("Run this again?"),
        consequence=gettext_lazy("It is done once more for its day, or its days. Nobody is told the same thing twice."),
        permission="run",
        icon="replay",
    )
    def repeat_this(self, request: HttpRequest, run: JobRun, form: BaseDialogForm) -> None:
        def repeat(member: Member) -> JobRun:
            return by_hand.start(Errand.again(run, now=clock.now()), by=member)

        self.decide(request, planned(title_of(run.job)), repeat)


@admin.register(SyncRun)
class SyncRunAdmin(ScopedAdmin[SyncRun]):
    list_display = ["source", "shop", "state_badge", "received", "announced", "written", "bad_count", "as_of", "began"]
    list_filter = ["shop", "source", "state"]
    list_select_related = ["shop"]
    fields = [
        *("shop", "job_run", "source", "state", "since", "until", "received", "announced", "written", "pages"),
        *("bad_count", "bad_rows", "error", "as_of", "began", "ended", "cursor"),
    ]
    readonly_fields = ["began", "ended"]

    @display(description=gettext_lazy("state"), label=SYNC_COLORS, ordering="state")
    def state_badge(self, run: SyncRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=gettext_lazy("started at"), ordering="started_at")
    def began(self, run: SyncRun) -> str:
        return stamped(run, run.started_at)

    @display(description=gettext_lazy("finished at"))
    def ended(self, run: SyncRun) -> str:
        return stamped(run, run.finished_at)


def title_of(job: str) -> str:
    found = find_job(job)
    return str(found.title) if found else job


def stamped(run: JobRun | SyncRun, real: datetime | None) -> str:
    """A moment of the run's own life, kept in real time, on the wall of its shop."""
    zone = run.shop.timezone if run.shop else settings.TIME_ZONE
    return unbroken(formats.moment(clock.business_time(real), zone)) if real else "—"


def unbroken(words: str) -> str:
    """A narrow column does not break them."""
    return words.replace(" ", formats.SPACE)


def planned(title: object) -> str:
    return _("%(job)s: planned, it starts in a moment.") % {"job": title}
