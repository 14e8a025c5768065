"""What is the same thing in several shops: suggested by offer ids, said by a person, never by a sync."""

from __future__ import annotations

import pytest

from apps.catalog.articles import Linked, link_by_offer_id, same_articles, set_article, suggested
from apps.catalog.models import Article, Product
from apps.shops.models import AuditEntry, Member, Shop
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def shelf(anna: Member) -> Shop:
    return anna.seller.shops.get()


@pytest.fixture
def salon(anna: Member) -> Shop:
    return cast.shop(anna.seller, "Salon")


def product(shop: Shop, offer_id: str, number: int = 1, **fields: object) -> Product:
    external_id = f"{offer_id}-{number}"
    return Product.objects.create(
        shop=shop, external_id=external_id, offer_id=offer_id, name="Cream", currency="RUB", **fields
    )


def code_of(one: Product) -> str:
    return Article.objects.get(product=one).code


def test_products_of_one_offer_id_are_linked_across_shops(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, there = product(shelf, "KS-1"), product(salon, " ks-1")
    assert set(suggested(Product.objects.all())) == {here, there}
    assert link_by_offer_id([here], by=anna.person) == Linked(linked=1, alone=0, unclear=0)
    assert code_of(here) == code_of(there)
    assert same_articles([here]) == {here.pk: [here, there]}
    assert not suggested(Product.objects.all())


def test_nothing_is_linked_before_a_person_says_so(shelf: Shop, salon: Shop) -> None:
    here, _there = product(shelf, "KS-1"), product(salon, "KS-1")
    assert same_articles([here]) == {}


def test_a_product_without_a_counterpart_stays_alone(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, _other = product(shelf, "KS-1"), product(salon, "KS-2")
    assert link_by_offer_id([here], by=anna.person) == Linked(linked=0, alone=1, unclear=0)
    assert not Article.objects.exists()


def test_two_of_one_offer_id_in_one_shop_are_left_to_a_person(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, _first, _second = product(shelf, "KS-1"), product(salon, "KS-1", 1), product(salon, "KS-1", 2)
    assert link_by_offer_id([here], by=anna.person) == Linked(linked=0, alone=0, unclear=1)
    assert not Article.objects.exists()


def test_what_is_archived_is_nobodys_counterpart(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, _gone = product(shelf, "KS-1"), product(salon, "KS-1", is_archived=True)
    assert not suggested(Product.objects.all())
    assert link_by_offer_id([here], by=anna.person).alone == 1


def test_another_sellers_product_is_never_the_same(anna: Member, shelf: Shop) -> None:
    here, theirs = product(shelf, "KS-1"), product(cast.boris().seller.shops.get(), "KS-1")
    assert not suggested(Product.objects.all())
    assert link_by_offer_id([here], by=anna.person).alone == 1
    for one in (here, theirs):
        set_article(product=one, code="CREAM", by=None)
    assert same_articles([here, theirs]) == {here.pk: [here], theirs.pk: [theirs]}


def test_what_a_person_wrote_by_hand_is_the_code_of_the_others(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, there = product(shelf, "KS-1"), product(salon, "KS-1")
    set_article(product=there, code="CREAM", by=anna.person)
    link_by_offer_id([here], by=anna.person)
    assert code_of(here) == code_of(there) == "CREAM"


def test_two_codes_that_people_wrote_are_not_made_one(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, there = product(shelf, "KS-1"), product(salon, "KS-1")
    set_article(product=here, code="CREAM", by=anna.person)
    set_article(product=there, code="MASK", by=anna.person)
    assert link_by_offer_id([here], by=anna.person).unclear == 1
    assert (code_of(here), code_of(there)) == ("CREAM", "MASK")


def test_products_of_different_offer_ids_are_linked_by_hand(anna: Member, shelf: Shop, salon: Shop) -> None:
    here, there = product(shelf, "KS-1"), product(salon, "500")
    for one in (here, there):
        set_article(product=one, code=" CREAM ", by=anna.person)
    assert same_articles([there]) == {there.pk: [here, there]}


def test_an_empty_code_takes_the_link_away_and_each_change_is_told(anna: Member, shelf: Shop) -> None:
    here = product(shelf, "KS-1")
    for code in ("CREAM", "CREAM", "MASK", " "):
        set_article(product=here, code=code, by=anna.person)
    assert not Article.objects.exists()
    told = AuditEntry.objects.filter(action="article.set").order_by("pk").values_list("data", flat=True)
    assert [entry["code"] for entry in told] == [["", "CREAM"], ["CREAM", "MASK"], ["MASK", ""]]
