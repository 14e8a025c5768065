"""A query starts from a seller: rows of another are not there."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.test import RequestFactory

from apps.common.errors import NotFound
from apps.shops.asking import member_of_request, person_of, seller_of_request, visible
from apps.shops.models import Member, Person, Seller, Shop
from apps.shops.roles import Role
from apps.shops.scoping import SellerQuerySet, seller_id_of
from tests.cast import anna, boris, member

OWNED = [model for model in apps.get_models() if hasattr(model, "seller_path")]


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
def test_every_owned_model_knows_the_way_to_its_seller(model: type[Model]) -> None:
    assert isinstance(model._default_manager.all(), SellerQuerySet)
    str(model._default_manager.filter(**{model.seller_path: 1}).query)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_rows_of_another_seller_are_neither_listed_nor_found() -> None:
    mine, theirs = anna().seller, boris().seller
    assert set(Shop.objects.of(mine)) == set(mine.shops.all())
    assert set(Seller.objects.of(mine)) == {mine}
    assert Shop.objects.find(mine, pk=mine.shops.get().pk)
    for pk in (theirs.shops.get().pk, 0):
        with pytest.raises(NotFound, match="no such thing"):
            Shop.objects.find(mine, pk=pk)


@pytest.mark.django_db
def test_a_row_tells_whose_it_is() -> None:
    owner = anna()
    shop = owner.seller.shops.get()
    for row in (owner.seller, shop, shop.credentials.get(), owner, owner.person):
        assert seller_id_of(row) == owner.seller_id
    assert seller_id_of(owner.person.user) is None


@pytest.mark.django_db
def test_who_works_for_two_sellers_sees_the_one_they_work_with_now() -> None:
    mine, other = anna(), boris()
    Member.objects.create(person=mine.person, seller=other.seller, role=Role.VIEWER)
    for seller in (mine.seller, other.seller):
        Person.objects.filter(pk=mine.person_id).update(active_seller=seller)
        request = RequestFactory().get("/")
        request.user = mine.person.user
        assert seller_of_request(request) == seller
        assert {shop.seller for shop in visible(request, Shop.objects.all())} == {seller}
        assert visible(request, Person.objects.all()).count() == seller.members.count()


@pytest.mark.django_db
def test_a_stranger_is_nobody_and_sees_nothing() -> None:
    anna()
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert person_of(request) is None
    assert member_of_request(request) is None
    assert not visible(request, Shop.objects.all()).exists()


@pytest.mark.django_db
def test_a_former_member_sees_nothing_of_the_seller_they_still_have_chosen() -> None:
    clara = member(anna().seller, "Clara")
    Person.objects.filter(pk=clara.person_id).update(active_seller=clara.seller)
    Member.objects.create(person=clara.person, seller=boris().seller, role=Role.VIEWER)
    clara.delete()
    request = RequestFactory().get("/")
    request.user = clara.person.user
    assert not visible(request, Shop.objects.all()).exists()
