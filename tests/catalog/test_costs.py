"""What a unit costs: entered by a person, dated, told in the audit trail."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from apps.catalog.costs import import_costs, set_cost
from apps.catalog.models import Cost, Product
from apps.common.errors import NotFound, UserError
from apps.shops.models import AuditEntry, Member
from tests import cast

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def mug(anna: Member) -> Product:
    return product(anna, "MUG-1")


def product(of: Member, offer_id: str) -> Product:
    shop = of.seller.shops.get()
    return Product.objects.create(shop=shop, external_id=offer_id, offer_id=offer_id, name="Mug", currency="RUB")


def test_a_cost_holds_from_its_day_on(anna: Member, mug: Product) -> None:
    set_cost(product=mug, amount=Decimal("350.50"), currency="RUB", starts_on=TUESDAY, by=anna.person)
    set_cost(product=mug, amount=Decimal(400), currency="RUB", starts_on=WEDNESDAY, by=anna.person)

    assert [mug.cost_on(day) for day in (MONDAY, TUESDAY, WEDNESDAY)] == [None, Decimal("350.50"), 400]


def test_who_changed_a_cost_is_kept(anna: Member, mug: Product) -> None:
    set_cost(product=mug, amount=Decimal(350), currency="RUB", starts_on=MONDAY, by=anna.person)
    set_cost(product=mug, amount=Decimal(300), currency="RUB", starts_on=MONDAY, by=anna.person)

    assert Cost.objects.get().entered_by == anna.person
    first, second = AuditEntry.objects.filter(action="cost.set").order_by("id")
    assert (first.actor, first.seller, first.data["previous"]) == (anna.person, anna.seller, None)
    assert (second.data["amount"], second.data["previous"]) == ("300", "350.00")


@pytest.mark.parametrize("amount", ["0", "-1", "1000000000.01", "NaN", "Infinity", "10.001"])
def test_it_refuses_an_amount_that_cannot_be_a_cost(mug: Product, amount: str) -> None:
    with pytest.raises(UserError, match="MUG-1"):
        set_cost(product=mug, amount=Decimal(amount), currency="RUB", starts_on=MONDAY, by=None)

    assert not Cost.objects.exists()
    assert not AuditEntry.objects.exists()


def test_it_refuses_other_money_than_the_shop_s(mug: Product) -> None:
    with pytest.raises(UserError, match=r"USD.*RUB"):
        set_cost(product=mug, amount=Decimal(5), currency="USD", starts_on=MONDAY, by=None)


def test_a_list_is_entered_once(anna: Member, mug: Product) -> None:
    shop, costs = mug.shop, [("MUG-1", Decimal(350))]

    assert import_costs(shop=shop, costs=costs, starts_on=MONDAY, by=anna.person) == 1
    assert import_costs(shop=shop, costs=costs, starts_on=WEDNESDAY, by=anna.person) == 0
    assert Cost.objects.count() == 1


def test_a_list_with_an_unknown_offer_is_refused_whole(anna: Member, mug: Product) -> None:
    boris = cast.boris()
    product(boris, "BORIS-1")

    with pytest.raises(NotFound, match="BORIS-1"):
        import_costs(
            shop=mug.shop, costs=[("MUG-1", Decimal(350)), ("BORIS-1", Decimal(1))], starts_on=MONDAY, by=anna.person
        )

    assert not Cost.objects.exists()
