"""The query parameters of the API: parsed and checked here, once, into what the questions take.

Each is checked as the OpenAPI document describes it; `ACCEPTED` says the same to a person.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field

from apps.analytics.shapes import Filters
from apps.catalog.models import Category
from apps.common.clock import today
from apps.common.errors import NotFound, UserError
from apps.common.periods import SHORTCUTS, Period, Shortcut
from apps.dashboard.caller import Caller
from apps.shops.models import Shop
from apps.shops.roles import Action

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
LONGEST_DAYS = 3_660  # ten years: an answer has a row for each of its days
LARGEST_ID = 2**63 - 1

SalesTypeName = Literal["retail", "b2b", "exhibition", "internal", "unclassified", "all"]
CompareType = Literal["previous_period", "month_ago", "year_ago"]
A_POSITIVE_NUMBER = gettext_lazy("a positive whole number")
A_DAY = gettext_lazy("a day as YYYY-MM-DD, from 2000-01-01 to 2099-12-31")

ACCEPTED: dict[str, str | Promise] = {
    "start_date": A_DAY,
    "end_date": A_DAY,
    "shop": gettext_lazy("the number of a shop, or several with commas between them"),
    "source_id": A_POSITIVE_NUMBER,
    "category_id": A_POSITIVE_NUMBER,
    "expense_type_id": A_POSITIVE_NUMBER,
    "brand": gettext_lazy("the name of a brand, of at most 200 characters"),
    "parent_category": gettext_lazy("the name of a category, of at most 300 characters"),
    "limit": gettext_lazy("a whole number from 1 to 50"),
    "page": gettext_lazy("a whole number from 1 to 100000"),
    "page_size": gettext_lazy("a whole number from 1 to 100"),
}


class BadParameter(UserError):
    """A parameter is not what is accepted: the sentence names both."""

    def __init__(self, name: str, accepted: str | Promise | None = None) -> None:
        words = ACCEPTED.get(name, _("what the document of this API describes")) if accepted is None else accepted
        super().__init__(
            _("The parameter %(name)s is wrong. Accepted: %(accepted)s.") % {"name": name, "accepted": words}
        )


def _whole(value: Any) -> Any:
    """Digits alone: neither 1.0, nor +1, nor digits of other scripts."""
    return value if re.fullmatch("[0-9]{1,19}", str(value)) else ""


def _day(value: Any) -> date:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value)):
        raise ValueError("not YYYY-MM-DD")
    day = date.fromisoformat(str(value))
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("out of range")
    return day


Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]
Day = Annotated[date, BeforeValidator(_day)]
NUMBER = "[1-9][0-9]{0,17}"
Ids = Annotated[str, Field(pattern=f"^{NUMBER}(,{NUMBER}){{0,49}}$")]


def text(longest: int) -> Any:
    """Words without the character zero, which no database takes."""
    return Field(default=None, min_length=1, max_length=longest, pattern=r"^[^\x00]+$")


def _say_no_null(schema: dict[str, Any]) -> None:
    """In the document: a parameter may be left out, and there is no such thing as a null in an address."""
    for described in schema["properties"].values():
        for kind in described.pop("anyOf", ()):
            described.update({} if kind == {"type": "null"} else kind)


class ShopQuery(Schema):
    model_config = ConfigDict(json_schema_extra=_say_no_null)

    shop: Ids | None = Field(
        default=None,
        description="Shops by their numbers, comma-separated; several only with one currency. Default: yours.",
    )


class SalesQuery(ShopQuery):
    """What every question about sales takes."""

    period: Shortcut | None = Field(
        default=None, description="A shortcut, in the shop's time zone. Wins over start_date and end_date."
    )
    start_date: Day | None = Field(default=None, description="First day, YYYY-MM-DD. Neither end given: today.")
    end_date: Day | None = Field(default=None, description="Last day, YYYY-MM-DD, included.")
    sales_type: SalesTypeName = Field(default="retail", description="To whom; internal takes an owner.")
    source_id: Id | None = Field(default=None, description="A source of orders by the shop's own number.")
    category_id: Id | None = Field(default=None, description="A category with all its descendants.")
    brand: str | None = text(200)

    def filters(self, caller: Caller) -> Filters:
        """What is asked about, for this caller. Raises `BadParameter`, `NotFound`, `Denied`."""
        if self.sales_type == "internal":
            caller.require(Action.MANAGE)
        shops = shops_of(caller, self.shop)
        check_one_currency(shops)
        if self.category_id and not Category.objects.filter(shop__in=shops, pk=self.category_id).exists():
            raise NotFound(_("There is no such category."))
        return Filters(
            shops=tuple(shop.pk for shop in shops),
            period=self._period(shops[0]),
            sales_type=self.sales_type,
            source_id=self.source_id,
            category_id=self.category_id,
            brand=self.brand,
        )

    def _period(self, shop: Shop) -> Period:
        if self.period:
            return SHORTCUTS[self.period](today(shop.timezone))
        if self.start_date is None and self.end_date is None:
            return SHORTCUTS["today"](today(shop.timezone))
        if self.start_date is None or self.end_date is None:
            missing = "start_date" if self.start_date is None else "end_date"
            raise BadParameter(missing, _("a day as YYYY-MM-DD: the two ends of a range are given together"))
        if self.start_date > self.end_date:
            raise BadParameter("start_date", _("a day that is not after end_date"))
        if self.end_date - self.start_date >= timedelta(days=LONGEST_DAYS):
            raise BadParameter("start_date", _("a day at most %(days)s days before end_date") % {"days": LONGEST_DAYS})
        return Period(self.start_date, self.end_date)


Limit = Annotated[int, Field(ge=1, le=50), BeforeValidator(_whole)]


class TopQuery(SalesQuery):
    limit: Limit = Field(default=10, description="How many of a top list.")


class TrendQuery(SalesQuery):
    compare_type: CompareType = Field(
        default="previous_period", description="The period to compare with: as long right before, or shifted."
    )


class BreakdownQuery(SalesQuery):
    parent_category: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]+$")]


class ExpensesQuery(SalesQuery):
    expense_type_id: Id | None = Field(default=None, description="A type of expenses by its id in /expense-types.")


class PageQuery(ShopQuery):
    """A page of a list. Without `shop`: all shops of the seller."""

    page: Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_whole)] = 1
    page_size: Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)] = 50


def shops_of(caller: Caller, ids: str | None) -> list[Shop]:
    """The shops asked for, by number; by default one at work: the person's choice, or the first. Raises `NotFound`."""
    if ids is not None:
        return _exactly(caller, ids)
    at_work = [shop for shop in caller.shops if shop.is_active]
    if not at_work:
        raise NotFound(_("This seller has no shop yet."))
    chosen = [shop for shop in at_work if shop.pk == caller.member.active_shop_id]
    return chosen or at_work[:1]


def listed_shops(caller: Caller, ids: str | None) -> list[Shop]:
    """The shops asked for; by default all."""
    return list(caller.shops) if ids is None else _exactly(caller, ids)


def _exactly(caller: Caller, ids: str) -> list[Shop]:
    wanted = {int(number) for number in ids.split(",")}
    found = [shop for shop in caller.shops if shop.pk in wanted]
    if len(found) < len(wanted):
        raise NotFound(_("There is no such shop."))
    return found


def check_one_currency(shops: list[Shop]) -> None:
    currencies = sorted({shop.currency for shop in shops})
    if len(currencies) > 1:
        accepted = _("shops of one currency; these have %(currencies)s") % {"currencies": ", ".join(currencies)}
        raise BadParameter("shop", accepted)
