"""The first page: what waits for a person, what runs, how fresh the data are, and whether anything is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.common import clock, formats
from apps.common.clock import real_now
from apps.decisions.models import Command, Proposal
from apps.experiments.models import Experiment
from apps.jobs.models import JobRun
from apps.jobs.punctuality import Punctuality, last_slots
from apps.jobs.timetable_page import visible_rows
from apps.sales.shop_sync import data_as_of_each
from apps.shops.asking import visible
from apps.shops.key_words import Standing, standing
from apps.shops.models import Credential, KillSwitch, Shop

STALE_AFTER = timedelta(hours=26)
RECENTLY = timedelta(days=1)


@dataclass(frozen=True)
class Count:
    """A number that leads to the list behind it."""

    title: str | Promise
    number: int
    link: str
    is_alarm: bool = False


@dataclass(frozen=True)
class KeyLine:
    """A key that needs somebody."""

    api: str
    stands: Standing


@dataclass(frozen=True)
class ShopLine:
    """One shop at a glance. `as_of` is the business moment of its last complete sync."""

    shop: Shop
    as_of: datetime | None
    is_stale: bool
    is_stopped: bool
    keys: Sequence[KeyLine]

    @property
    def data(self) -> str:
        return formats.moment(self.as_of, self.shop.timezone) if self.as_of else ""

    @property
    def switch_link(self) -> str:
        switch = getattr(self.shop, "kill_switch", None)
        if switch:
            return reverse("admin:shops_killswitch_change", args=[switch.pk])
        return f"{reverse('admin:shops_killswitch_add')}?{urlencode({'shop': self.shop.pk})}"


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold's index page is given on top of its own."""
    return {**context, "title": _("Overview"), "counts": counts(request), "shops": shop_lines(request, clock.now())}


def counts(request: HttpRequest) -> list[Count]:
    def count(title: Any, rows: QuerySet, *, is_alarm: bool = False, **filters: str) -> Count:
        found = visible(request, rows).count()
        return Count(title, found, _list_of(rows.model, **filters), is_alarm=is_alarm and found > 0)

    failed = JobRun.objects.filter(state=JobRun.State.FAILED, created_at__gt=real_now() - RECENTLY)
    helpless = Command.objects.filter(state=Command.State.NEEDS_HUMAN)
    pending = Proposal.objects.filter(state=Proposal.State.PENDING)
    undecided = Experiment.objects.filter(state__in=Experiment.WAITING)
    running = Experiment.objects.filter(state=Experiment.State.RUNNING)
    late = late_slots(request, clock.now())
    return [
        count(_("Proposals to decide on"), pending, state__exact="pending"),
        count(_("Experiments to decide on"), undecided, state__in=",".join(Experiment.WAITING)),
        count(_("Running experiments"), running, state__exact="running"),
        count(_("Commands that need a person"), helpless, is_alarm=True, state__exact="needs_human"),
        count(_("Jobs that failed in a day"), failed, is_alarm=True, state__exact="failed"),
        Count(_("Jobs late or missed in a day"), late, reverse("admin:jobs_timetable"), is_alarm=late > 0),
    ]


def late_slots(request: HttpRequest, now: datetime) -> int:
    """How many slots of the last day were begun late, not at all, or left out."""
    fine = (Punctuality.ON_TIME, Punctuality.WAITING, Punctuality.FAILED)  # what failed has a count of its own
    return sum(slot.punctuality not in fine for slot in last_slots(visible_rows(request), now=now, within=RECENTLY))


def shop_lines(request: HttpRequest, now: datetime) -> list[ShopLine]:
    """As many queries for a hundred shops as for one."""
    shops = visible(request, Shop.objects.filter(is_active=True))
    data = data_as_of_each(shops)
    all_stopped = KillSwitch.objects.filter(shop=None, is_on=True).exists()
    keys = _standings(shops, now)
    return [
        _line(shop, data.get(shop.pk), now, all_stopped, keys.get(shop.pk, ()))
        for shop in shops.select_related("kill_switch").order_by("name")
    ]


def _standings(shops: QuerySet[Shop], now: datetime) -> dict[int, list[KeyLine]]:
    """By the shop's id, what people should know of its keys: nothing of those that are in order."""
    found: dict[int, list[KeyLine]] = {}
    for key in Credential.objects.filter(shop__in=shops).order_by("pk"):
        stands = standing(key, now)
        if stands.tone in ("warning", "danger"):
            found.setdefault(key.shop_id, []).append(KeyLine(key.get_api_display(), stands))
    return found


def _line(shop: Shop, as_of: datetime | None, now: datetime, all_stopped: bool, keys: Sequence[KeyLine]) -> ShopLine:
    switch = getattr(shop, "kill_switch", None)
    return ShopLine(
        shop=shop,
        as_of=as_of,
        is_stale=as_of is None or now - as_of > STALE_AFTER,
        is_stopped=all_stopped or bool(switch and switch.is_on),
        keys=keys,
    )


def _list_of(model: type[Model], **filters: str) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return f"{reverse(name)}?{urlencode(filters)}"
