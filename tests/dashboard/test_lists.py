"""The lists of goods and decisions: page by page, of the caller's shops, as things stand in the database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from apps.catalog.articles import link_by_offer_id
from apps.catalog.models import Product, StockSnapshot, Warehouse
from apps.decisions.models import Approval, Proposal
from apps.shops.models import Person, Shop
from tests.backoffice.fill import TODAY, Filled, add_experiment, add_product
from tests.dashboard.asking import at_the_page

LISTS = ["/api/products", "/api/stock", "/api/price-proposals", "/api/experiments", "/api/decisions"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_comes_page_by_page(path: str, anna: Filled) -> None:
    add_experiment(add_product(anna.shop, "Anna", 7), anna.owner)
    asker = at_the_page(anna.owner)
    whole = asker.json(path)
    assert whole["count"] == len(whole["items"]) > 1
    pages = [asker.json(path, page=page, page_size=1) for page in range(1, whole["count"] + 2)]
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert {page["count"] for page in pages} == {whole["count"]}
    assert (pages[1]["page"], pages[1]["pageSize"]) == (2, 1)


@pytest.mark.parametrize("path", LISTS)
def test_who_has_a_list_already_is_sent_it_again_only_when_it_has_changed(path: str, anna: Filled) -> None:
    asker = at_the_page(anna.owner)
    before = asker.get(path)
    again = asker.get(path, **{"If-None-Match": before["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", before["ETag"])
    add_experiment(add_product(anna.shop, "Anna", 7), anna.owner)
    after = asker.get(path, **{"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]


def test_a_list_with_words_is_another_in_another_language(anna: Filled) -> None:
    asker = at_the_page(anna.owner)
    before = asker.get("/api/price-proposals")
    Person.objects.filter(pk=anna.owner.person_id).update(language="uk")
    with translation.override("en"):  # what is asked in Ukrainian here is no later test's language
        after = asker.get("/api/price-proposals", **{"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert after.json()["items"][0]["stateInWords"] != before.json()["items"][0]["stateInWords"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_holds_no_word_of_boris(path: str, anna: Filled, boris: Filled) -> None:
    text = at_the_page(anna.owner).get(path).content.decode()
    assert "Anna" in text or "1,490" in text
    assert "Boris" not in text


@pytest.mark.parametrize("path", LISTS)
def test_boriss_shop_is_not_there(path: str, anna: Filled, boris: Filled) -> None:
    for shop in (str(boris.shop.pk), f"{anna.shop.pk},{boris.shop.pk}", "999999999"):
        answer = at_the_page(anna.owner).get(path, {"shop": shop})
        assert answer.status_code == 404
        assert answer.json() == {"detail": "There is no such shop."}


def test_a_list_is_of_all_shops_or_of_those_asked_for(anna: Filled) -> None:
    second = Shop.objects.create(seller=anna.seller, name="Second", currency="UAH")
    Product.objects.create(shop=second, external_id="1", offer_id="S", name="Second's", currency="UAH")
    asker = at_the_page(anna.owner)
    assert asker.json("/api/products")["count"] == 4
    assert asker.json("/api/products", shop=second.pk)["count"] == 1
    assert asker.json("/api/products", shop=f"{second.pk},{anna.shop.pk}")["count"] == 4


def test_what_is_not_known_of_a_product_is_null(anna: Filled) -> None:
    Product.objects.filter(shop=anna.shop, offer_id="Anna-0").update(price=None, brand=None)
    first, second, _third = at_the_page(anna.owner).json("/api/products")["items"]
    assert (first["price"], first["brand"], first["minPrice"]) == (None, None, None)
    assert (second["price"], second["oldPrice"], second["brand"]) == (1490.0, 1990.0, "Anna brand")


def test_a_product_is_told_with_the_same_article_in_other_shops(anna: Filled) -> None:
    salon = Shop.objects.create(seller=anna.seller, kind="keycrm", name="Salon", currency="UAH", timezone="Europe/Kyiv")
    there = Product.objects.create(shop=salon, external_id="1", offer_id="ANNA-0", name="Teapot", currency="UAH")
    link_by_offer_id([there], by=anna.owner.person)
    first, second, _third = at_the_page(anna.owner).json("/api/products", shop=anna.shop.pk)["items"]
    assert (second["article"], second["otherShops"]) == (None, [])
    assert first["article"] == "Anna-0"
    assert first["otherShops"] == [
        {
            "productId": there.pk, "shopId": salon.pk, "offerId": "ANNA-0", "currency": "UAH", "price": None,
            "stock": None, "stockDay": None, "unitsSold": 0, "revenue": 0,
        }
    ]  # fmt: skip
    (last,) = at_the_page(anna.owner).json("/api/products", shop=salon.pk)["items"]
    assert [(other["shopId"], other["currency"], other["stock"]) for other in last["otherShops"]] == [
        (anna.shop.pk, "RUB", 118)
    ]


def test_stock_is_that_of_the_last_morning_without_what_is_reserved(anna: Filled) -> None:
    product = Product.objects.get(shop=anna.shop, offer_id="Anna-0")
    fbs = Warehouse.objects.create(shop=anna.shop, scheme=Warehouse.Scheme.FBS, external_id="own")
    StockSnapshot.objects.create(product=product, warehouse=fbs, day=TODAY, present=5, reserved=9)
    StockSnapshot.objects.create(product=product, warehouse=fbs, day=TODAY - timedelta(days=1), present=500, reserved=0)
    first, second, _third = at_the_page(anna.owner).json("/api/stock")["items"]
    assert (first["day"], first["fbo"], first["fbs"], first["reserved"]) == (TODAY.isoformat(), 118, 0, 11)
    assert (second["fbo"], second["fbs"], second["reserved"]) == (118, None, 2)


def test_proposals_are_told_with_both_prices_and_what_is_expected(anna: Filled) -> None:
    (waiting,) = at_the_page(anna.owner).json("/api/price-proposals", state="pending")["items"]
    assert (waiting["priceFrom"], waiting["priceTo"], waiting["currency"]) == (1490.0, 1590.0, "RUB")
    assert (waiting["effect"], waiting["effectLow"], waiting["effectHigh"], waiting["worstCase"]) == (310, 90, 540, -60)
    assert waiting["stateInWords"] == "waiting for a decision"


def test_an_experiment_is_told_with_its_last_verdict(anna: Filled) -> None:
    (experiment,) = at_the_page(anna.owner).json("/api/experiments", state="judged")["items"]
    assert experiment["verdict"]["result"] == "SUCCESS"
    assert experiment["verdict"]["probability"] == 0.97
    assert at_the_page(anna.owner).json("/api/experiments", state="running")["items"] == []


def test_decisions_are_those_of_people_with_what_became_of_them(anna: Filled) -> None:
    waiting = Proposal.objects.get(shop=anna.shop, state=Proposal.State.PENDING)
    found = at_the_page(anna.owner).json("/api/decisions")["items"]
    assert waiting.pk not in {item["id"] for item in found}
    assert {item["commandState"] for item in found} == {"needs_human", "verified"}
    assert found[0]["approvals"] == [{"person": "Anna", "decision": "approve", "at": "2026-03-16T09:00:00Z"}]


def test_a_rejected_proposal_has_no_command(anna: Filled) -> None:
    waiting = Proposal.objects.get(shop=anna.shop, state=Proposal.State.PENDING)
    Approval.objects.create(proposal=waiting, member=anna.owner, verdict="reject", at=waiting.created_at)
    Proposal.objects.filter(pk=waiting.pk).update(state=Proposal.State.REJECTED)
    newest = at_the_page(anna.owner).json("/api/decisions")["items"][0]
    assert (newest["id"], newest["commandState"], newest["state"]) == (waiting.pk, None, "rejected")


def test_a_state_that_is_none_is_refused_by_name(anna: Filled) -> None:
    assert "state" in at_the_page(anna.owner).refused("/api/experiments", state="pending")
