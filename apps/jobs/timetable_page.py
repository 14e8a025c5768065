"""The timetable as it stands for each shop: when each job comes next, how it went, and running it by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common import clock, formats
from apps.common.errors import Refused
from apps.common.periods import Period, day_of
from apps.jobs import by_hand, due
from apps.jobs.by_hand import Errand, WrongDay
from apps.jobs.models import JobRun
from apps.jobs.punctuality import Punctuality, Slot, last_slots
from apps.jobs.schedule import Entry, entries
from apps.jobs.timetable import Job, timetable
from apps.shops.asking import visible
from apps.shops.models import Shop

COLORS = {
    JobRun.State.DONE: "success",
    JobRun.State.FAILED: "danger",
    JobRun.State.RUNNING: "info",
    JobRun.State.PLANNED: "warning",
    JobRun.State.SKIPPED: "warning",
}
SLOT_COLORS = {
    Punctuality.ON_TIME: "success",
    Punctuality.LATE: "warning",
    Punctuality.WAITING: "info",
    Punctuality.OVERDUE: "danger",
    Punctuality.MISSED: "danger",
    Punctuality.SKIPPED: "warning",
    Punctuality.FAILED: "danger",
}
SLOTS_SHOWN = 5
SLOTS_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Line:
    """A job of the timetable for one shop: when it comes next, in the shop's zone, how it went last and how punctually,
    and the days it may be run for again (None: it never is)."""

    job: Job
    shop: Shop
    next_at: datetime | None
    last: JobRun | None
    slots: tuple[Slot, ...]
    acceptable: Period | None

    @property
    def next_due(self) -> str:
        return formats.moment(self.next_at, self.shop.timezone) if self.next_at else _("switched off")

    @property
    def last_started(self) -> str:
        started = self.last.started_at if self.last else None
        return formats.moment(clock.business_time(started), self.shop.timezone) if started else "—"

    @property
    def color(self) -> str:
        return COLORS.get(JobRun.State(self.last.state), "default") if self.last else "default"

    @property
    def badges(self) -> Iterator[Badge]:
        for slot in self.slots:
            day = formats.moment(slot.due, self.shop.timezone)
            yield Badge(f"{day}: {punctuality_in_words(slot)}", SLOT_COLORS[slot.punctuality], slot.run)


@dataclass(frozen=True)
class Badge:
    """What became of a slot."""

    text: str
    color: str
    run: JobRun | None


class DaysForm(forms.Form):
    """The days that a job is to be run for; none at all is now."""

    first = forms.DateField(label=gettext_lazy("From"), required=False)
    last = forms.DateField(label=gettext_lazy("To"), required=False)

    def errand(self, job: Job, shop: Shop, now: datetime) -> Errand:
        """Raises `Refused`, naming the field."""
        if not self.is_valid():
            raise Refused(" ".join(f"{self.fields[name].label}: {found[0]}" for name, found in self.errors.items()))
        try:
            return Errand.of(job=job.name, shop=shop, as_of=now, **self.cleaned_data)
        except WrongDay as error:
            raise Refused(f"{self.fields[error.end].label}: {error}") from error


def punctuality_in_words(slot: Slot) -> str:
    if slot.punctuality is Punctuality.LATE:
        return _("late by %(time)s") % {"time": formats.duration(slot.late)}
    if slot.punctuality is Punctuality.OVERDUE:
        return _("overdue by %(time)s") % {"time": formats.duration(slot.late)}
    return str(slot.punctuality.label)


def visible_rows(request: HttpRequest) -> list[Entry]:
    """The rows of the schedule that are switched on, of the shops that the person may see."""
    shops = set(visible(request, Shop.objects.filter(is_active=True)).values_list("pk", flat=True))
    return [entry for entry in entries() if entry.shop and entry.shop.pk in shops]


def lines(request: HttpRequest, *, now: datetime) -> list[Line]:
    """The timetable of every shop the person may see, shop by shop, in the order of the day."""
    shops = list(visible(request, Shop.objects.filter(is_active=True)).order_by("seller", "name"))
    rows = {(entry.job.name, entry.shop.pk): entry for entry in visible_rows(request) if entry.shop}
    runs = JobRun.objects.filter(shop__in=shops).order_by("job", "shop_id", "-pk").distinct("job", "shop_id")
    last = {(run.job, run.shop_id): run for run in runs}
    slots: dict[tuple[str, int | None], list[Slot]] = defaultdict(list)
    for slot in last_slots(rows.values(), now=now, within=SLOTS_WITHIN, most=SLOTS_SHOWN):
        slots[slot.place].append(slot)
    return [
        Line(
            job=job,
            shop=shop,
            next_at=_next_due(rows.get((job.name, shop.pk)), now),
            last=last.get((job.name, shop.pk)),
            slots=tuple(slots[job.name, shop.pk]),
            acceptable=by_hand.acceptable(job, today=day_of(now, shop.timezone)),
        )
        for shop in shops
        for job in timetable()
        if job.is_for(shop)
    ]


def _next_due(row: Entry | None, now: datetime) -> datetime | None:
    return due.next_due(row.cron, row.zone, now) if row and row.cron else None
