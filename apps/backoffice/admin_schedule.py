"""The rows of the schedule, which beat fires: for superusers. Rows come with shops and releases, not from here.

What a row starts and why is told from the timetable, in the reader's language: beat's own words are English.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict, TypeVar

from django.db.models import BigIntegerField, JSONField, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.common import formats
from apps.jobs.schedule import FIRE
from apps.jobs.timetable import Job, Tick, find_job, find_tick
from apps.shops.models import Shop
from apps.shops.scoped_admin import Context, SuperuserOnly
from apps.shops.typed_unfold import Row, display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class OfShop(TypedDict):
    """What the rows are shown with: whose they are; None for those of the installation."""

    shop_name: str | None


Time = TypeVar("Time", CrontabSchedule, IntervalSchedule)


class _Seeded(SuperuserOnly[Row]):
    def has_add_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        named = {"subtitle": self.in_words(row)} if row else {}
        return super().changeform_view(request, object_id, form_url, {**named, **(extra_context or {})})

    def in_words(self, row: Row) -> str:
        raise NotImplementedError


class PeriodicTaskAdmin(_Seeded[PeriodicTask]):
    """What can be changed: whether a row fires and, behind the link to its time, when."""

    audit_name = "schedule"
    list_display = ["in_words", "enabled", "when", "last_run_at", "why"]
    list_filter = ["enabled"]
    list_select_related = ["crontab", "interval"]
    search_fields = ["name", "task"]
    ordering = ["name"]
    fields = ["in_words", "why", "enabled", "time", "calls", "last_run_at"]
    readonly_fields = ["in_words", "why", "time", "calls", "last_run_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        shop_id = Cast(KeyTextTransform("shop_id", Cast("kwargs", JSONField())), BigIntegerField())
        names = Shop.objects.filter(pk=OuterRef("shop_id")).values("name")
        rows: QuerySet[PeriodicTask] = super().get_queryset(request).annotate(shop_id=shop_id)
        named: QuerySet[PeriodicTask] = rows.annotate(shop_name=names[:1])
        return named

    @display(description=gettext_lazy("job"), ordering="name")
    def in_words(self, row: WithAnnotations[PeriodicTask, OfShop]) -> str:
        work = _work(row)
        return " · ".join(filter(None, [str(work.title) if work else row.name, row.shop_name]))

    @display(description=gettext_lazy("why then"))
    def why(self, row: PeriodicTask) -> str:
        work = _work(row)
        return str(work.why) if work else "—"

    @display(description=gettext_lazy("when"))
    def when(self, row: PeriodicTask) -> str:
        return _when(row.crontab or row.interval)

    @display(description=gettext_lazy("when"))
    def time(self, row: PeriodicTask) -> SafeString:
        schedule = row.crontab or row.interval
        page = reverse(f"admin:{schedule._meta.app_label}_{schedule._meta.model_name}_change", args=[schedule.pk])
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', page, _when(schedule))

    @display(description=gettext_lazy("task"))
    def calls(self, row: PeriodicTask) -> str:
        return f"{row.task} {row.kwargs}" if row.task == FIRE else str(row.task)


class _Times(_Seeded[Time]):
    """When rows fire, each with the jobs that it starts."""

    list_display = ["in_words", "starts"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Time]:
        return super().get_queryset(request).prefetch_related("periodictask_set")

    @display(description=gettext_lazy("when"))
    def in_words(self, row: Time) -> str:
        return _when(row)

    @display(description=gettext_lazy("job"))
    def starts(self, row: Time) -> str:
        works = [(task, _work(task)) for task in row.periodictask_set.all()]
        return ", ".join(str(work.title) if work else task.name for task, work in works)


class CrontabScheduleAdmin(_Times[CrontabSchedule]):
    """The time of a row, in the shop's zone. Each row has a time of its own."""

    audit_name = "schedule_time"
    fields = ["hour", "minute", "day_of_week", "day_of_month", "month_of_year", "timezone"]
    readonly_fields = ["timezone"]


class IntervalScheduleAdmin(_Times[IntervalSchedule]):
    audit_name = "schedule_interval"


def _work(row: PeriodicTask) -> Job | Tick | None:
    """What of the timetable the row starts; None for a row that this release knows nothing of."""
    return find_job(json.loads(row.kwargs).get("job", "")) if row.task == FIRE else find_tick(row.task)


def _when(schedule: CrontabSchedule | IntervalSchedule) -> str:
    if isinstance(schedule, IntervalSchedule):
        pause = timedelta(**{schedule.period: schedule.every})
        return _("once in %(time)s") % {"time": formats.duration(pause, least="second")}
    return f"{_at(schedule)} ({schedule.timezone})"


def _at(cron: CrontabSchedule) -> str:
    """In words for every day or every hour, as the rows are seeded; else as an admin wrote it."""
    is_daily = {cron.day_of_week, cron.day_of_month, cron.month_of_year} == {"*"}
    if is_daily and cron.minute.isdigit() and cron.hour.isdigit():
        return _("daily at %(time)s") % {"time": f"{int(cron.hour):02}:{int(cron.minute):02}"}
    if is_daily and cron.minute.isdigit() and cron.hour == "*":
        return _("every hour at minute %(minute)s") % {"minute": cron.minute}
    return f"{cron.minute} {cron.hour} {cron.day_of_month} {cron.month_of_year} {cron.day_of_week}"
