"""Milestones: the revenues of today, this week and this month that are celebrated, once for each person and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from apps.analytics import questions
from apps.analytics.shapes import Filters
from apps.common.periods import SHORTCUTS, Period, Shortcut
from apps.dashboard.models import Celebration, Milestones
from apps.shops.models import Person, Shop

Span = Celebration.Span
SPANS: dict[Celebration.Span, Shortcut] = {Span.DAILY: "today", Span.WEEKLY: "week", Span.MONTHLY: "month"}


@dataclass(frozen=True)
class Milestone:
    span: Celebration.Span
    period: Period
    amount: Decimal
    revenue: Decimal

    @property
    def is_reached(self) -> bool:
        return self.revenue >= self.amount


def milestones_of(shop: Shop, *, today: date) -> list[Milestone]:
    """Every milestone of the shop with the revenue so far, retail, the lowest of each period first."""
    amounts = Milestones.objects.filter(shop=shop).first() or Milestones(shop=shop)
    found = []
    for span, shortcut in SPANS.items():
        period = SHORTCUTS[shortcut](today)
        revenue = questions.summary(Filters((shop.pk,), period)).revenue
        found += [Milestone(span, period, amount, revenue) for amount in sorted(getattr(amounts, span))]
    return found


def celebrate(*, shop: Shop, person: Person, today: date, now: datetime) -> list[Milestone]:
    """What the person has to celebrate now: each milestone that is reached, and that this is the first to return.

    `now` is real time. Two pages that ask at once celebrate it in one of them.
    """
    reached = [milestone for milestone in milestones_of(shop, today=today) if milestone.is_reached]
    return [milestone for milestone in reached if _claim(milestone, shop, person, now)]


def _claim(milestone: Milestone, shop: Shop, person: Person, now: datetime) -> bool:
    _row, is_new = Celebration.objects.get_or_create(
        person=person,
        shop=shop,
        span=milestone.span,
        starts_on=milestone.period.first,
        amount=milestone.amount,
        defaults={"at": now},
    )
    return is_new
