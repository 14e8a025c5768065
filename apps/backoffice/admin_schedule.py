"""The rows of the schedule, which beat fires: for superusers. Rows come with shops and releases, not from here."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.shops.scoped_admin import SuperuserOnly
from apps.shops.typed_unfold import Row, display


class _Seeded(SuperuserOnly[Row]):
    def has_add_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class PeriodicTaskAdmin(_Seeded[PeriodicTask]):
    """What can be changed: whether a row fires and, behind the link to its time, when."""

    audit_name = "schedule"
    list_display = ["name", "enabled", "when", "last_run_at", "description"]
    list_filter = ["enabled", "task"]
    list_select_related = ["crontab", "interval"]
    search_fields = ["name", "task", "description"]
    ordering = ["name"]
    fields = ["name", "description", "enabled", "crontab", "interval", "task", "kwargs", "last_run_at"]
    readonly_fields = ["name", "crontab", "interval", "task", "kwargs", "last_run_at"]

    @display(description=gettext_lazy("when"))
    def when(self, row: PeriodicTask) -> str:
        return str(row.crontab or row.interval)


class CrontabScheduleAdmin(_Seeded[CrontabSchedule]):
    """The time of a row, in the shop's zone. Each row has a time of its own."""

    audit_name = "schedule_time"
    list_display = ["human_readable", "timezone"]
    fields = ["hour", "minute", "day_of_week", "day_of_month", "month_of_year", "timezone"]
    readonly_fields = ["timezone"]


class IntervalScheduleAdmin(_Seeded[IntervalSchedule]):
    audit_name = "schedule_interval"
    list_display = ["__str__"]
