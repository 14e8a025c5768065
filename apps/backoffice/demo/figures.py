"""Asking the REST API over HTTP, as a person with a session, and counting the same in PostgreSQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

import requests
from django.conf import settings
from django.db.models import Count, Min, Q, Sum

from apps.backoffice.demo.days import DemoFailed
from apps.common.periods import Period
from apps.sales.models import Order, Source
from apps.shops.models import Shop

TIMEOUT_SECONDS = 30
LOST = Q(status__in=(Order.Status.CANCELLED, Order.Status.RETURNED))


class Figures(NamedTuple):
    """Sales of a period, of every type; money in the shop's currency."""

    orders: int
    revenue: Decimal
    returns: int
    returned_revenue: Decimal


class Api:
    """The REST API, with the session of a login. Raises `DemoFailed` when it is not let in."""

    def __init__(self, username: str, password: str) -> None:
        self._session = requests.Session()
        page = f"{settings.DASHBOARD_URL}/admin/login/"
        self._session.get(page, timeout=TIMEOUT_SECONDS)
        form = {"username": username, "password": password, "csrfmiddlewaretoken": self._session.cookies["csrftoken"]}
        self._session.post(page, data=form, timeout=TIMEOUT_SECONDS)
        if settings.SESSION_COOKIE_NAME not in self._session.cookies:
            raise DemoFailed(f"{username} could not log in")

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
