"""The endpoints of the milestones."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apps.common.clock import real_now, today
from apps.dashboard.answers import NOT_BUILT_YET, or_error
from apps.dashboard.caller import Session, caller_of
from apps.dashboard.milestones import Milestone, celebrate, milestones_of
from apps.dashboard.parameters import ShopQuery, shops_of
from apps.dashboard.wire import Json, dump, money
from apps.shops.models import Shop

router = Router(tags=["Milestones"])


@dataclass(frozen=True)
class MilestoneItem:
    """`period` is daily, weekly or monthly; amounts are in the shop's currency."""

    shopId: int
    period: str
    startDate: str
    endDate: str
    currency: str
    amount: float
    revenue: float
    isReached: bool


@router.get("/milestones", response=or_error(list[MilestoneItem], NOT_BUILT_YET))
def milestones(request: HttpRequest, query: Query[ShopQuery]) -> HttpResponse:
    """The milestones of each shop with the revenue so far of today, of this week and of this month."""
    found = [
        _item(shop, milestone)
        for shop in shops_of(caller_of(request), query.shop)
        for milestone in milestones_of(shop, today=today(shop.timezone))
    ]
    return HttpResponse(dump(found), content_type=Json.media_type)


@router.post("/milestones/celebrate", response=or_error(list[MilestoneItem], NOT_BUILT_YET), auth=Session())
def celebrate_now(request: HttpRequest, query: Query[ShopQuery]) -> HttpResponse:
    """What the person at the page has to celebrate: each milestone comes once in its period, whatever is reloaded."""
    caller = caller_of(request)
    found = [
        _item(shop, milestone)
        for shop in shops_of(caller, query.shop)
        for milestone in celebrate(shop=shop, person=caller.person, today=today(shop.timezone), now=real_now())
    ]
    return HttpResponse(dump(found), content_type=Json.media_type)


def _item(shop: Shop, milestone: Milestone) -> MilestoneItem:
    return MilestoneItem(
        shopId=shop.pk,
        period=milestone.span.value,
        startDate=milestone.period.first.isoformat(),
        endDate=milestone.period.last.isoformat(),
        currency=shop.currency,
        amount=money(milestone.amount),
        revenue=money(milestone.revenue),
        isReached=milestone.is_reached,
    )
