"""What is told of a thing that a shop's orders name and that nobody has said anything of."""

from __future__ import annotations

import pytest

from apps.notifications.models import OutboxMessage
from apps.sales.models import Source
from apps.sales.unseen import What, tell_unseen
from apps.shops.models import Member, Shop
from apps.shops.roles import Role
from tests import cast
from tests.reports.rows import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shop(anna: Member) -> Shop:
    return anna.seller.shops.get()


def test_it_names_the_source_and_says_where_to_say_what_it_is(anna: Member, shop: Shop) -> None:
    Source.objects.create(shop=shop, external_id=6, name="Etsy <b>", currency="USD")
    assert told(anna, "crm_unseen", shop=shop.pk, what="source", id=6).text == (
        "Shelf: the orders name something new.\n"
        "\n"
        "a source of orders of which nobody has said what it counts as: № 6, Etsy <b>\n"
        "\n"
        "Its orders are unclassified until somebody says it in the admin, under “Sources of orders” or “Managers”."
    )


@pytest.mark.parametrize("what", What)
def test_every_kind_has_words(anna: Member, shop: Shop, what: What) -> None:
    assert "№ 99" in told(anna, "crm_unseen", shop=shop.pk, what=what, id=99).text


def test_it_is_told_once_to_those_who_manage_the_shop(anna: Member, shop: Shop) -> None:
    cast.member(anna.seller, "Vera", Role.VIEWER, telegram_id=1002)
    for _ in range(2):
        tell_unseen(shop, What.MANAGER, [30, 31])
    told_to = OutboxMessage.objects.filter(name="crm_unseen").values_list("person", "params__id")
    assert sorted(told_to) == [(anna.person.pk, 30), (anna.person.pk, 31)]
