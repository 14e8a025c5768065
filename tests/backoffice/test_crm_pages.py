"""The pages of a shop in a CRM: who sees a buyer, what erasing leaves, and what a change of the rules does."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.sales.models import Buyer, DayCheck, Manager, Order, Source, TouchedDay
from apps.shops.models import CrmRules, Shop
from tests.backoffice.fill import Filled, fill
from tests.backoffice.site import client_of, url

pytestmark = [pytest.mark.django_db, pytest.mark.walk]

PHONE = "+380000000001"


@pytest.fixture
def anna() -> Filled:
    filled = fill("Anna")
    Shop.objects.filter(pk=filled.shop.pk).update(kind=Shop.Kind.KEYCRM)
    return filled


def client_as(anna: Filled, role: str) -> Client:
    return client_of(anna.seller.members.get(role=role))


def page_of(client: Client, row: Buyer) -> str:
    return client.get(url(Buyer, "change", row.pk)).content.decode()


def test_only_who_manages_the_shop_reads_a_buyers_phone(anna: Filled) -> None:
    buyer = Buyer.objects.get()
    assert PHONE in page_of(client_as(anna, "owner"), buyer)
    for role in ("approver", "analyst", "viewer"):
        page = page_of(client_as(anna, role), buyer)
        assert PHONE not in page
        assert "•••001" in page


@pytest.mark.parametrize("page", ["", "?format=csv"])
def test_lists_show_nobody_a_whole_phone(anna: Filled, page: str) -> None:
    answer = client_as(anna, "owner").get(url(Buyer, "changelist") + page)
    assert PHONE not in answer.content.decode()


def test_a_compared_day_tells_in_words_what_was_set_right(anna: Filled) -> None:
    check = DayCheck.objects.get()
    said = [
        {"order": "7", "field": "status", "source": "cancelled", "stored": "delivered"},
        {"order": "8", "field": "order", "source": "", "stored": "120.00"},
    ]
    DayCheck.objects.update(differences=said)
    page = client_as(anna, "viewer").get(url(DayCheck, "change", check.pk)).content.decode()
    assert "№ 7, status: cancelled · delivered<br>№ 8, order: — · 120.00" in page


def test_an_owner_erases_a_buyer(anna: Filled) -> None:
    buyer = Buyer.objects.get()
    client_as(anna, "owner").post(reverse("admin:sales_buyer_erase", args=[buyer.pk]), {"_form_submitted": "True"})
    buyer.refresh_from_db()
    assert buyer.erased_at
    assert buyer.phone is None


def test_orders_are_found_by_whether_they_are_paid(anna: Filled) -> None:
    client, order = client_as(anna, "viewer"), Order.objects.get(channel="keycrm")
    others = {row.pk for row in Order.objects.exclude(pk=order.pk)}

    def found(choice: str) -> set[int]:
        rows = client.get(url(Order, "changelist"), {"payment": choice}).context["cl"].result_list
        return {row.pk for row in rows}

    for received, choice in ((order.total, "paid"), (order.total / 2, "partly"), (0, "unpaid")):
        Order.objects.filter(pk=order.pk).update(received=received)
        assert {one: found(one) for one in ("paid", "partly", "unpaid")} == {
            one: {order.pk} if one == choice else set() for one in ("paid", "partly", "unpaid")
        }
        assert found("unknown") == others


def test_an_order_tells_its_amounts_as_people_write_them(anna: Filled) -> None:
    client, order = client_as(anna, "owner"), Order.objects.get(channel="keycrm")
    Order.objects.filter(pk=order.pk).update(total="1490.00", received="500.50", currency="UAH")
    order.lines.update(price="745.00", quantity="2.250")
    order.expenses.update(amount="12.30")
    page = client.get(url(Order, "change", order.pk)).content.decode()
    for amount in ("1,490", "500.50", "745", "12.30"):
        assert f">{amount}\N{NO-BREAK SPACE}UAH<" in page
    assert ">2.25<" in page
    Order.objects.filter(pk=order.pk).update(received=None)
    assert "500.50" not in client.get(url(Order, "change", order.pk)).content.decode()


def test_what_a_source_counts_as_is_said_anew_of_all_its_orders(anna: Filled) -> None:
    source, order = Source.objects.get(), Order.objects.get(channel="keycrm")
    client_as(anna, "owner").post(url(Source, "change", source.pk), {"role": "exhibition"})
    order.refresh_from_db()
    assert order.sales_type == "exhibition"
    assert TouchedDay.objects.filter(shop=anna.shop, day=order.placed_on).exists()


def test_what_a_manager_sells_is_said_anew_of_their_orders(anna: Filled) -> None:
    manager = Manager.objects.get()
    period = manager.periods.get()
    form = {
        "periods-TOTAL_FORMS": "1", "periods-INITIAL_FORMS": "1", "periods-0-id": str(period.pk),
        "periods-0-manager": str(manager.pk), "periods-0-sales_type": "b2b",
    }  # fmt: skip
    client_as(anna, "owner").post(url(Manager, "change", manager.pk), form)
    assert Order.objects.get(channel="keycrm").sales_type == "b2b"


def test_a_new_shop_in_a_crm_starts_with_rules_that_can_be_changed(anna: Filled) -> None:
    shop = Shop.objects.create(seller=anna.seller, kind=Shop.Kind.KEYCRM, name="Salon", currency="UAH")
    roles = dict(Source.objects.filter(shop=shop).values_list("external_id", "role"))
    assert roles == {1: "sales", 2: "sales", 3: "history", 4: "sales", 5: "exhibition"}
    sells = dict(Manager.objects.filter(shop=shop).values_list("external_id", "periods__sales_type"))
    assert sells == {15: "b2b", **dict.fromkeys((4, 8, 11, 16, 17, 19, 22), "retail")}
    rules = CrmRules.objects.get(shop=shop)
    form = {"brand_field": "Марка", "lost_statuses": "19,22"}
    client_as(anna, "owner").post(url(CrmRules, "change", rules.pk), form)
    rules.refresh_from_db()
    assert (rules.brand_field, rules.lost_statuses) == ("Марка", [19, 22])
