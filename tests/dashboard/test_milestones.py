"""Milestones are celebrated once for each person and period, however often the page is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from apps.dashboard.models import Celebration, Milestones
from apps.shops.models import AuditEntry
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of
from tests.dashboard.asking import Asker, at_the_page
from tests.dashboard.sold import Cosmetics

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # a Monday: 800 today and this week, 1800 this month
CELEBRATE = "/api/milestones/celebrate"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(EVENING, tick=False):
        yield


@pytest.fixture
def rules(cosmetics: Cosmetics) -> Milestones:
    amounts = {
        "daily": [Decimal(900), Decimal(700)],
        "weekly": [Decimal(800)],
        "monthly": [Decimal(1800), Decimal(1801)],
    }
    return Milestones.objects.create(shop=cosmetics.shop, **amounts)


def told(asker: Asker, cosmetics: Cosmetics) -> list[tuple[str, float]]:
    answer = asker.post(CELEBRATE, {"shop": cosmetics.shop.pk})
    assert answer.status_code == 200
    return [(each["period"], each["amount"]) for each in answer.json()]


def test_those_that_are_reached_are_celebrated_once(anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    asker = at_the_page(anna.owner)
    assert told(asker, cosmetics) == [("daily", 700), ("weekly", 800), ("monthly", 1800)]
    assert told(asker, cosmetics) == []
    assert Celebration.objects.filter(person=anna.owner.person).count() == 3


def test_each_person_celebrates_for_themselves(anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    viewer = anna.seller.members.select_related("person__user").get(role=Role.VIEWER)
    assert len(told(at_the_page(anna.owner), cosmetics)) == 3
    assert len(told(at_the_page(viewer), cosmetics)) == 3


def test_the_next_period_has_its_own(anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    Milestones.objects.filter(pk=rules.pk).update(daily=[Decimal(600)])
    assert told(at_the_page(anna.owner), cosmetics) == [("daily", 600), ("weekly", 800), ("monthly", 1800)]
    with time_machine.travel(EVENING + timedelta(days=1), tick=False):  # 600 more on the 3rd
        assert told(at_the_page(anna.owner), cosmetics) == [("daily", 600), ("monthly", 1801)]


def test_a_lower_one_that_is_added_later_is_celebrated_too(
    anna: Filled, cosmetics: Cosmetics, rules: Milestones
) -> None:
    told(at_the_page(anna.owner), cosmetics)
    Milestones.objects.filter(pk=rules.pk).update(daily=[Decimal(500), Decimal(700)])
    assert told(at_the_page(anna.owner), cosmetics) == [("daily", 500)]


def test_the_usual_ones_hold_until_others_are_set(anna: Filled, cosmetics: Cosmetics) -> None:
    found: list[dict[str, Any]] = at_the_page(anna.owner).json("/api/milestones", shop=cosmetics.shop.pk)
    assert [(each["period"], each["amount"]) for each in found] == [
        ("daily", 200_000),
        ("weekly", 500_000),
        ("weekly", 700_000),
        ("weekly", 1_000_000),
        ("monthly", 1_000_000),
        ("monthly", 2_000_000),
        ("monthly", 3_000_000),
        ("monthly", 5_000_000),
    ]
    assert {each["currency"] for each in found} == {"UAH"}
    assert not any(each["isReached"] for each in found)
    assert told(at_the_page(anna.owner), cosmetics) == []


def test_looking_celebrates_nothing(anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    found = at_the_page(anna.owner).json("/api/milestones", shop=cosmetics.shop.pk)
    assert [each["isReached"] for each in found] == [True, False, True, True, False]
    assert (found[2]["startDate"], found[2]["endDate"], found[2]["revenue"]) == ("2026-03-02", "2026-03-02", 800.0)
    assert not Celebration.objects.exists()


def test_an_owner_sets_them_in_the_admin(anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    address = f"/admin/dashboard/milestones/{rules.pk}/change/"
    client_of(anna.owner).post(address, {"daily": "100,200.50", "weekly": "", "monthly": "5000"})
    rules.refresh_from_db()
    assert (rules.daily, rules.weekly, rules.monthly) == ([Decimal(100), Decimal("200.5")], [], [Decimal(5000)])
    assert AuditEntry.objects.filter(action="milestones.changed", seller=anna.seller).exists()


@pytest.mark.parametrize("amounts", ["0", "-5", "ten", "1e30"])
def test_an_amount_is_above_zero(amounts: str, anna: Filled, cosmetics: Cosmetics, rules: Milestones) -> None:
    address = f"/admin/dashboard/milestones/{rules.pk}/change/"
    answer = client_of(anna.owner).post(address, {"daily": amounts, "weekly": "", "monthly": ""})
    assert "daily" in answer.context["adminform"].form.errors
