"""Asking the REST API over HTTP, as a program does, and counting the same in PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import requests
from django.conf import settings
from django.db.models import Count, Min, Q, Sum

from apps.backoffice.demo.days import DemoFailed
from apps.common.clock import real_now
from apps.common.periods import Period
from apps.dashboard.models import ApiToken
from apps.dashboard.tokens import issue_token
from apps.sales.models import Order, Source
from apps.shops.models import Member, Shop

TIMEOUT_SECONDS = 30
LIFE = timedelta(days=7)
LOST = Q(status__in=(Order.Status.CANCELLED, Order.Status.RETURNED))


class Figures(NamedTuple):
    """Sales of a period, of every type; money in the shop's currency."""

    orders: int
    revenue: Decimal
    returns: int
    returned_revenue: Decimal


class Api:
    """The REST API with a token."""

    def __init__(self, token: str) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def figures(self, shop: Shop, period: Period) -> Figures:
        answer = self._ask([shop], period)
        if answer.status_code != 200:
            raise DemoFailed(f"the API answers {answer.status_code}: {answer.text[:300]}")
        told = answer.json()
        return Figures(
            told["totalOrders"], _money(told["totalRevenue"]), told["totalReturns"], _money(told["returnsRevenue"])
        )

    def refusal(self, shops: tuple[Shop, ...], period: Period) -> str:
        """Why these shops are not answered together. Raises `DemoFailed` when they are."""
        answer = self._ask(shops, period)
        if answer.status_code != 400:
            raise DemoFailed(f"the API adds up {[shop.currency for shop in shops]}: {answer.text[:300]}")
        return str(answer.json()["detail"])

    def _ask(self, shops: list[Shop] | tuple[Shop, ...], period: Period) -> requests.Response:
        asked = {
            "shop": ",".join(str(shop.pk) for shop in shops),
            "start_date": period.first.isoformat(),
            "end_date": period.last.isoformat(),
            "sales_type": "all",
        }
        return self._session.get(f"{settings.DASHBOARD_URL}/api/summary", params=asked, timeout=TIMEOUT_SECONDS)


def token_of(username: str) -> str:
    """A new token that may read, of the person with this login."""
    member = Member.objects.select_related("person__user", "seller").get(person__user__username=username)
    _token, text = issue_token(member=member, name="demo", scope=ApiToken.Scope.READ, life=LIFE, now=real_now())
    return text


def counted(shop: Shop, period: Period) -> Figures:
    """Plainly, from the orders: what the API must say."""
    orders = Order.objects.filter(shop=shop, placed_on__range=(period.first, period.last))
    sums = orders.exclude(source__role=Source.Role.HISTORY).aggregate(
        orders=Count("order_number", distinct=True, filter=~LOST),
        revenue=Sum("total", filter=~LOST, default=Decimal(0)),
        returns=Count("order_number", distinct=True, filter=LOST),
        returned=Sum("total", filter=LOST, default=Decimal(0)),
    )
    return Figures(sums["orders"], sums["revenue"], sums["returns"], sums["returned"])


def whole_history(shop: Shop, last: date) -> Period:
    """From the day of the first order to `last`."""
    first = Order.objects.filter(shop=shop).aggregate(first=Min("placed_on"))["first"]
    if first is None:
        raise DemoFailed(f"the shop {shop} has no orders")
    return Period(first, last)


def _money(amount: float) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))
