"""What is asked for by query parameters, and what is said when it is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from ninja import Schema

from apps.catalog.models import Category
from apps.common.errors import Denied, NotFound
from apps.common.periods import SHORTCUTS, Period
from apps.dashboard.caller import Caller
from apps.dashboard.parameters import (
    ACCEPTED,
    BadParameter,
    BreakdownQuery,
    ExpensesQuery,
    PageQuery,
    SalesQuery,
    TopQuery,
    TrendQuery,
)
from apps.shops.models import Member, Shop
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.cast import member
from tests.dashboard.asking import at_the_page

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 15, 21, 30, tzinfo=UTC)  # in Moscow it is the 16th already
QUERIES: list[type[Schema]] = [TopQuery, TrendQuery, BreakdownQuery, ExpensesQuery, PageQuery]


def caller(of: Member) -> Caller:
    return Caller(of, tuple(Shop.objects.of(of.seller).order_by("pk")))


def read(**query: Any) -> SalesQuery:
    return SalesQuery.model_validate(query)


def asked(of: Filled, **query: Any) -> Any:
    return read(**query).filters(caller(of.owner))


def detail(of: Filled, **query: Any) -> str:
    with pytest.raises(BadParameter) as wrong:
        asked(of, **query)
    return str(wrong.value)


def test_a_shortcut_is_counted_in_the_shops_zone(anna: Filled) -> None:
    with time_machine.travel(NIGHT, tick=False):
        assert asked(anna, period="today").period == Period(date(2026, 3, 16), date(2026, 3, 16))
        Shop.objects.filter(pk=anna.shop.pk).update(timezone="Europe/London")
        assert asked(anna, period="today").period == Period(date(2026, 3, 15), date(2026, 3, 15))


def test_without_a_period_it_is_today_and_retail_of_the_first_shop(anna: Filled) -> None:
    Shop.objects.create(seller=anna.seller, name="Second")
    with time_machine.travel(NIGHT, tick=False):
        found = asked(anna)
    assert found.period == Period(date(2026, 3, 16), date(2026, 3, 16))
    assert (found.shops, found.sales_type) == ((anna.shop.pk,), "retail")
    assert (found.source_id, found.category_id, found.brand) == (None, None, None)


def test_a_shortcut_wins_over_a_range(anna: Filled) -> None:
    with time_machine.travel(NIGHT, tick=False):
        found = asked(anna, period="yesterday", start_date="2020-01-01", end_date="2020-01-02")
    assert found.period == Period(date(2026, 3, 15), date(2026, 3, 15))


def test_both_ends_of_a_range_are_included(anna: Filled) -> None:
    found = asked(anna, start_date="2026-01-31", end_date="2026-02-02")
    assert found.period.days == 3


def test_half_a_range_is_refused_by_the_name_of_what_is_missing(anna: Filled) -> None:
    assert "end_date" in detail(anna, start_date="2026-01-01")
    assert "start_date" in detail(anna, end_date="2026-01-01")


def test_a_range_that_ends_before_it_starts_is_refused(anna: Filled) -> None:
    assert detail(anna, start_date="2026-01-02", end_date="2026-01-01").startswith("The parameter start_date is wrong.")


def test_a_range_is_ten_years_at_most(anna: Filled) -> None:
    assert asked(anna, start_date="2020-01-01", end_date="2030-01-07").period.days == 3660
    assert "3660 days" in detail(anna, start_date="2020-01-01", end_date="2030-01-08")


def test_the_shop_that_a_person_chose_answers_where_none_is_named(anna: Filled) -> None:
    second = Shop.objects.create(seller=anna.seller, name="Second")
    anna.owner.active_shop = second
    assert asked(anna).shops == (second.pk,)
    Shop.objects.filter(pk=second.pk).update(is_active=False)
    assert asked(anna).shops == (anna.shop.pk,)


def test_several_shops_of_one_currency_are_asked_together(anna: Filled) -> None:
    second = Shop.objects.create(seller=anna.seller, name="Second")
    assert asked(anna, shop=f"{second.pk},{anna.shop.pk}").shops == (anna.shop.pk, second.pk)


def test_shops_of_two_currencies_are_refused_naming_both(anna: Filled) -> None:
    second = Shop.objects.create(seller=anna.seller, name="Second", currency="UAH")
    words = detail(anna, shop=f"{second.pk},{anna.shop.pk}")
    assert "shop" in words
    assert "RUB" in words
    assert "UAH" in words


def test_a_shop_that_is_not_at_work_is_there_when_asked_for(anna: Filled) -> None:
    Shop.objects.filter(pk=anna.shop.pk).update(is_active=False)
    with pytest.raises(NotFound):
        asked(anna)
    assert asked(anna, shop=str(anna.shop.pk)).shops == (anna.shop.pk,)


def test_what_is_boriss_is_not_there(anna: Filled, boris: Filled) -> None:
    theirs = Category.objects.filter(shop=boris.shop)[0]
    mine = Category.objects.filter(shop=anna.shop)[0]
    for query in (
        {"shop": str(boris.shop.pk)},
        {"shop": f"{anna.shop.pk},{boris.shop.pk}"},
        {"category_id": theirs.pk},
    ):
        with pytest.raises(NotFound):
            asked(anna, **query)
    assert asked(anna, category_id=mine.pk).category_id == mine.pk


@pytest.mark.parametrize("role", Role)
def test_internal_sales_are_for_owners(role: Role, anna: Filled) -> None:
    somebody = caller(member(anna.seller, f"Clara {role}", role))
    query = SalesQuery(sales_type="internal")
    if role == Role.OWNER:
        assert query.filters(somebody).sales_type == "internal"
    else:
        with pytest.raises(Denied):
            query.filters(somebody)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("period", "fortnight", "last_28_days"),
        ("period", "", "last_28_days"),
        ("period", "Today", "today"),
        ("start_date", "01.02.2026", "YYYY-MM-DD"),
        ("start_date", "2026-02-30", "YYYY-MM-DD"),
        ("start_date", "2026-2-3", "YYYY-MM-DD"),
        ("start_date", "0", "YYYY-MM-DD"),
        ("start_date", "2026-02-03T00:00:00", "YYYY-MM-DD"),
        ("start_date", "٢٠٢٦-٠٢-٠٣", "YYYY-MM-DD"),
        ("end_date", "0001-01-01", "2000-01-01"),
        ("end_date", "9999-12-31", "2099-12-31"),
        ("sales_type", "wholesale", "retail, b2b"),
        ("shop", "0", "the number of a shop"),
        ("shop", "-1", "the number of a shop"),
        ("shop", "1,", "the number of a shop"),
        ("shop", "1, 2", "the number of a shop"),
        ("shop", "x", "the number of a shop"),
        ("source_id", "0", "a positive whole number"),
        ("source_id", "1.0", "a positive whole number"),
        ("source_id", "+1", "a positive whole number"),
        ("source_id", "1_0", "a positive whole number"),
        ("source_id", "²", "a positive whole number"),
        ("category_id", "-5", "a positive whole number"),
        ("category_id", "9223372036854775808", "a positive whole number"),
        ("brand", "", "the name of a brand"),
        ("brand", "a\x00b", "the name of a brand"),
        ("brand", "x" * 201, "the name of a brand"),
        ("limit", "0", "from 1 to 50"),
        ("limit", "51", "from 1 to 50"),
        ("limit", "ten", "from 1 to 50"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_accepted(
    name: str, value: str, accepted: str, anna: Filled
) -> None:
    words = at_the_page(anna.owner).refused("/api/products/top", **{name: value})
    assert words.startswith(f"The parameter {name} is wrong. Accepted: ")
    assert accepted in words


def test_a_comparison_that_is_none_is_refused(anna: Filled) -> None:
    words = at_the_page(anna.owner).refused("/api/revenue/trend", compare_type="decade_ago")
    assert "previous_period, month_ago, year_ago" in words


def test_a_breakdown_needs_its_parent(anna: Filled) -> None:
    assert "parent_category" in at_the_page(anna.owner).refused("/api/categories/breakdown")


@pytest.mark.parametrize("path", ["/api/categories/0/children", "/api/categories/-1/children"])
def test_a_category_in_the_address_is_a_positive_number(path: str, anna: Filled) -> None:
    assert "category_id" in at_the_page(anna.owner).refused(path)


def test_for_every_parameter_it_is_said_what_is_accepted() -> None:
    """Those that take one of a few name them all by themselves."""
    described = {name: each for query in QUERIES for name, each in query.model_json_schema()["properties"].items()}
    assert {name for name, each in described.items() if "enum" not in each} == set(ACCEPTED)


def test_a_state_that_is_none_is_refused_with_those_of_the_list(anna: Filled) -> None:
    words = at_the_page(anna.owner).refused("/api/experiments", state="pending")
    assert words.endswith("Accepted: running, judged, stopped, kept, rolling_back, rolled_back, void.")


@given(st.dates(date(1990, 1, 1), date(2110, 1, 1)), st.dates(date(1990, 1, 1), date(2110, 1, 1)))
def test_any_range_is_answered_or_refused(first: date, last: date) -> None:
    is_good = 2000 <= first.year <= 2099 and 2000 <= last.year <= 2099 and 0 <= (last - first).days < 3660
    shop = Shop(pk=1, timezone="Europe/Moscow")
    try:
        query = read(start_date=first.isoformat(), end_date=last.isoformat())
        found = query._period(shop)
    except (BadParameter, ValueError):
        assert not is_good
    else:
        assert is_good
        assert found == Period(first, last)


@given(st.text(max_size=30))
def test_any_text_is_a_period_or_refused(text: str) -> None:
    if text in SHORTCUTS:
        assert read(period=text).period == text
    else:
        with pytest.raises(ValueError, match="period"):
            read(period=text)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    is_number = text.isascii() and text.isdigit() and 0 < int(text) < 2**63
    if is_number and len(text) < 20:
        assert read(source_id=text).source_id == int(text)
    else:
        with pytest.raises(ValueError, match="source_id"):
            read(source_id=text)
