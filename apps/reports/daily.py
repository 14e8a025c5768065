"""The daily report of a shop: built once, from PostgreSQL, for the morning's message and for the question alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Sum

from apps.catalog.minimums import EndingMinimums, ending_minimums
from apps.common.periods import Period, day_of, start_of
from apps.decisions.models import Proposal
from apps.experiments.models import Experiment
from apps.inventory.cover import ShopCover, load_cover
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import people_who_may, tell
from apps.reports.rendering import Rendered, from_template
from apps.sales.known import KnownDays
from apps.sales.models import DailyFact
from apps.sales.shop_sync import data_as_of
from apps.sales.totals import Totals, day_totals, totals
from apps.shops.models import Shop
from apps.shops.roles import Action

ONE_DAY, ONE_WEEK = timedelta(days=1), timedelta(days=7)
MOST_PRODUCTS, MOST_LOW = 5, 3


@dataclass(frozen=True)
class Trend:
    """A figure of a day, and how it compares, as a fraction, with the same weekday a week before and with the mean of
    the seven days before. None is unknown."""

    value: Decimal | None
    by_week: Decimal | None
    by_mean: Decimal | None


@dataclass(frozen=True)
class TopProduct:
    name: str
    offer_id: str
    units: int
    revenue: Decimal


@dataclass(frozen=True)
class Awaiting:
    """What somebody has to decide on: proposals, with the profit a day they are expected to add, and experiments."""

    proposals: int
    gain: Decimal
    experiments: int


@dataclass(frozen=True, kw_only=True)
class DailyReport:
    """One closed day of one shop, in its currency. None is unknown.

    as_of: moment of the last complete sync; totals: of the day, None when that sync did not reach its end; month: from
    the first of the month to the day; running: experiments under way at the moment of the report; minimums: minimum
    prices that soon end to be in force.
    """

    shop: Shop
    day: date
    as_of: datetime | None
    totals: Totals | None
    units: Trend
    orders: Trend
    revenue: Trend
    average_order: Trend
    month: Totals | None
    top: tuple[TopProduct, ...]
    awaiting: Awaiting
    running: int
    stock: ShopCover | None
    minimums: EndingMinimums | None


def send_daily_report(
    *, shop: Shop, day: date, now: datetime, expires_at: datetime | None = None
) -> dict[str, int | bool]:
    """Tell the report on `day`, a day of the shop that has ended, to everybody who may see it: once for each person.

    It is not sent any more after `expires_at`, by itself when the day after `day` has passed. Returns how many people
    are told now, without those who were told before, and whether the data reach the end of `day`; a report on less says
    so itself. Raises ValueError for a day that has not ended.
    """
    if day >= day_of(now, shop.timezone):
        raise ValueError(f"day must be one that has ended in {shop.timezone}, not {day}")
    people = people_who_may(shop.seller, Action.VIEW)
    told = tell(
        name="daily_report",
        key=f"daily_report:{shop.pk}:{day}",
        seller=shop.seller,
        people=people,
        params={"shop": shop.pk, "day": str(day)},
        expires_at=expires_at or start_of(day + 2 * ONE_DAY, shop.timezone),
    )
    return {"told": told, "complete": KnownDays.of(shop).has_sales(day)}


def daily_report(message: OutboxMessage, now: datetime) -> Rendered:
    """The message of the outbox."""
    shop = Shop.objects.of(message.seller).get(pk=message.params["shop"])
    return show(build(shop, date.fromisoformat(message.params["day"]), now=now))


def last_closed_day(shop: Shop, *, now: datetime) -> date:
    """Yesterday, or the last day whose sales are known when that is earlier."""
    yesterday = day_of(now, shop.timezone) - ONE_DAY
    until = KnownDays.of(shop).until
    return min(yesterday, until - ONE_DAY) if until else yesterday


def build(shop: Shop, day: date, *, now: datetime) -> DailyReport:
    """The report on `day` as things stand at `now`. A fixed number of queries, however large the shop."""
    week = day_totals(shop, Period(day - ONE_WEEK, day))
    return DailyReport(
        shop=shop,
        day=day,
        as_of=data_as_of(shop),
        totals=week.get(day),
        units=_trend(_units, week, day),
        orders=_trend(_orders, week, day),
        revenue=_trend(_revenue, week, day),
        average_order=_trend(_average_order, week, day),
        month=totals(shop, Period(day.replace(day=1), day)),
        top=_top(shop, day),
        awaiting=_awaiting(shop, now),
        running=Experiment.objects.filter(shop=shop, state=Experiment.State.RUNNING).count(),
        stock=load_cover(shop),
        minimums=ending_minimums(shop, now),
    )


def show(report: DailyReport) -> Rendered:
    low = report.stock.low if report.stock else ()
    context = {
        "report": report,
        "shop": report.shop,
        "currency": report.shop.currency,
        "as_of": report.as_of,
        "missing_since": report.day + ONE_DAY,
        "out": sum(cover.is_out for cover in low),
        "low": low[:MOST_LOW],
        "left_out": len(low[MOST_LOW:]),
        "unknown": len(report.stock.unknown) if report.stock else 0,
    }
    return from_template("daily_report", context)


Measure = Callable[[Sequence[Totals]], Decimal | None]
"""A figure per day, over some days."""


def _units(days: Sequence[Totals]) -> Decimal:
    return Decimal(sum(day.units for day in days)) / len(days)


def _orders(days: Sequence[Totals]) -> Decimal:
    return Decimal(sum(day.orders for day in days)) / len(days)


def _revenue(days: Sequence[Totals]) -> Decimal:
    return sum((day.revenue for day in days), Decimal(0)) / len(days)


def _average_order(days: Sequence[Totals]) -> Decimal | None:
    orders = sum(day.orders for day in days)
    return sum((day.revenue for day in days), Decimal(0)) / orders if orders else None


def _trend(measure: Measure, week: dict[date, Totals], day: date) -> Trend:
    """`week` holds what is known of the day and the seven before."""
    before = [week[past] for past in Period.ending(day - ONE_DAY, days=7) if past in week]
    value = measure([week[day]]) if day in week else None
    a_week_ago = measure([week[day - ONE_WEEK]]) if day - ONE_WEEK in week else None
    return Trend(value, _change(value, a_week_ago), _change(value, measure(before) if len(before) == 7 else None))


def _change(value: Decimal | None, base: Decimal | None) -> Decimal | None:
    return value / base - 1 if value is not None and base else None


def _top(shop: Shop, day: date) -> tuple[TopProduct, ...]:
    sold = DailyFact.objects.filter(product__shop=shop, day=day, units__gt=0).order_by("-revenue", "product_id")
    rows = sold.values_list("product__name", "product__offer_id", "units", "revenue")
    return tuple(TopProduct(*row) for row in rows[:MOST_PRODUCTS])


def _awaiting(shop: Shop, now: datetime) -> Awaiting:
    pending = Proposal.objects.filter(shop=shop, state=Proposal.State.PENDING, expires_at__gt=now)
    found = pending.aggregate(count=Count("pk"), gain=Sum("effect"))
    experiments = Experiment.objects.filter(shop=shop, state__in=Experiment.WAITING).count()
    return Awaiting(found["count"], found["gain"] or Decimal(0), experiments)
