"""What a person looks for often is kept under a name, above the list: theirs alone, and of one seller."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import QueryDict
from django.test import Client

from apps.catalog.models import Product
from apps.sales.models import DailyFact
from apps.shops.admin_saved import kept
from apps.shops.models import Member, SavedFilter
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import PAGES, SCOPED, client_of, label, listed, refusals, url, writes

ADDRESS = url(Product, "changelist")
LINK = re.compile(r'<a href="\?([^"]*)" class="pl-3[^>]*>([^<]*)</a>')
NO_SUCH_NAME = "0123456789" * 7


def save(client: Client, name: str, query: str, *, of: type[Model] = Product) -> Any:
    return client.post(f"{url(of, 'save_filter')}?{query}", {"name": name}, follow=True)


def shown(client: Client, address: str = ADDRESS) -> dict[str, str]:
    """The saved filters above a list, and where they lead to."""
    page = client.get(address).content.decode()
    return {unescape(name): f"?{unescape(query)}" for query, name in LINK.findall(page)}


def keeper_or(model: type[Model], anna: Filled) -> Client:
    """Anna, who for the pages of the installation keeps it too."""
    User.objects.filter(pk=anna.owner.person.user_id).update(is_superuser=model not in SCOPED)
    return client_of(anna.owner)


def viewer_of(filled: Filled) -> Member:
    return filled.seller.members.select_related("person__user").get(role=Role.VIEWER)


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


@pytest.mark.parametrize("model", [model for model, _ in PAGES], ids=label)
def test_every_list_keeps_filters_and_leads_back_to_them(model: type[Model], anna: Filled) -> None:
    client = keeper_or(model, anna)
    client.post(f"{url(model, 'save_filter')}?o=-1", {"name": "Newest last"})
    assert shown(client, url(model, "changelist")) == {"Newest last": "?o=-1"}
    assert listed(anna.owner, model, o="-1").get_query_string() == "?o=-1"


def test_a_saved_filter_holds_search_filters_and_order_but_not_the_page(client: Client) -> None:
    save(client, "Cheap teapots", "p=2&o=3&is_archived__exact=0&q=teapot")
    address = ADDRESS + shown(client)["Cheap teapots"]
    assert address == f"{ADDRESS}?is_archived__exact=0&o=3&q=teapot"
    assert len(client.get(address).context["cl"].result_list) == 3


def test_the_one_that_is_open_is_marked_and_not_offered_for_saving_again(client: Client) -> None:
    save(client, "Teapots", "q=teapot")
    page = client.get(ADDRESS, {"q": "teapot"}).content.decode()
    assert 'aria-current="true">Teapots<' in page
    assert "Save filters" not in page
    assert "Save filters" in client.get(ADDRESS, {"q": "cup"}).content.decode()
    assert "Save filters" not in client.get(ADDRESS).content.decode()


def test_a_name_that_is_taken_means_the_newer_filters(client: Client) -> None:
    save(client, "Mine", "q=teapot")
    save(client, "Mine", "q=cup")
    assert shown(client) == {"Mine": "?q=cup"}


def test_a_list_shows_only_what_was_saved_of_it(client: Client) -> None:
    save(client, "Of products", "q=teapot")
    assert shown(client, url(DailyFact, "changelist")) == {}


def test_a_saved_filter_is_removed(client: Client) -> None:
    save(client, "Mine", "q=teapot")
    answer = client.post(url(Product, "remove_filter", SavedFilter.objects.get().pk) + "?q=teapot")
    assert answer.headers["Location"] == f"{ADDRESS}?q=teapot"
    assert shown(client) == {}


def test_a_colleague_neither_sees_nor_removes_it(client: Client, anna: Filled) -> None:
    save(client, "Mine", "q=teapot")
    colleague = viewer_of(anna)
    assert shown(client_of(colleague)) == {}
    remains_for(colleague)


def test_another_seller_neither_sees_nor_removes_it(client: Client, boris: Filled) -> None:
    save(client, "Mine", "q=teapot")
    assert shown(client_of(boris.owner)) == {}
    remains_for(boris.owner)


def remains_for(other: Member) -> None:
    """The one saved filter is not there for them, and their trying is written down."""
    client = client_of(other)
    before, seen = writes(), refusals(other)
    answer = client.post(url(Product, "remove_filter", SavedFilter.objects.get().pk))
    assert answer.status_code == 404
    assert refusals(other) == seen + 1
    assert writes() == before


def test_with_another_seller_the_same_person_has_others(client: Client, anna: Filled, boris: Filled) -> None:
    save(client, "At Anna's", "q=teapot")
    Member.objects.create(person=anna.owner.person, seller=boris.seller, role=Role.VIEWER)
    client.post("/admin/me/", {"language": "en", "active_seller": boris.seller.pk})
    assert shown(client) == {}
    assert client.post(url(Product, "remove_filter", SavedFilter.objects.get().pk)).status_code == 404
    save(client, "At Boris's", "q=cup")
    assert shown(client) == {"At Boris's": "?q=cup"}
    client.post("/admin/me/", {"language": "en", "active_seller": anna.seller.pk})
    assert shown(client) == {"At Anna's": "?q=teapot"}


def test_one_saved_of_another_list_is_not_removed_here(client: Client) -> None:
    save(client, "Of facts", "q=teapot", of=DailyFact)
    assert client.post(url(Product, "remove_filter", SavedFilter.objects.get().pk)).status_code == 404


def test_whoever_may_not_see_a_list_saves_nothing_of_it(anna: Filled) -> None:
    assert save(client_of(viewer_of(anna)), "Keys", "o=1", of=_model("shops.credential")).status_code == 403
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("Everything", "p=2&q=", "There is nothing to save"),
        (" ", "q=teapot", "This field is required"),
        (NO_SUCH_NAME, "q=teapot", "at most 60 characters"),
    ],
    ids=["no filter", "no name", "a name too long"],
)
def test_what_cannot_be_saved_is_said(name: str, query: str, words: str, client: Client) -> None:
    assert words in save(client, name, query).content.decode()
    assert not SavedFilter.objects.exists()


def test_filters_are_saved_and_removed_by_a_press_and_never_by_a_link(client: Client, anna: Filled) -> None:
    save(client, "Mine", "q=teapot")
    for address in (url(Product, "save_filter"), url(Product, "remove_filter", SavedFilter.objects.get().pk)):
        assert client.get(address).status_code == 405
        from_elsewhere = Client(enforce_csrf_checks=True)
        from_elsewhere.force_login(anna.owner.person.user)
        assert from_elsewhere.post(address).status_code == 403


def test_a_name_is_shown_as_it_was_typed(client: Client) -> None:
    save(client, "<b>&'", "q=a%26b")
    assert shown(client) == {"<b>&'": "?q=a%26b"}


def test_the_same_filters_are_always_written_alike() -> None:
    one, other = "q=cup&day_from=2026-03-01&day_to=&p=4&e=1&_facets=True", "day_from=2026-03-01&q=cup"
    assert kept(QueryDict(one)) == kept(QueryDict(other)) == other


def test_a_filter_by_what_is_empty_is_kept() -> None:
    assert kept(QueryDict("kind=")) == "kind="


def _model(name: str) -> type[Model]:
    return next(model for model, _ in PAGES if label(model) == name)
