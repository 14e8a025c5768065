"""Nobody gets past but who may: every operation of the document, asked by strangers, neighbours and each role.

What is walked is read from the document: a new operation is covered without a word here, and closed until it is named.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.dashboard.caller import MAY_BY_TOKEN
from apps.shops.models import Member
from apps.shops.roles import ALLOWED, Action, Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of
from tests.cast import person
from tests.dashboard.asking import HEALTH, Asker, at_the_page, nobody, paths, with_token

pytestmark = [pytest.mark.django_db, pytest.mark.walk]

OPERATIONS = paths()
CLOSED = [(method, path) for method, path in OPERATIONS if path != HEALTH]
NEEDS = {
    "/api/expenses/summary": Action.SEE_PROFIT,
    "/api/expenses/profit": Action.SEE_PROFIT,
    "/api/expense-types": Action.SEE_PROFIT,
}
"""Every other operation takes `VIEW`."""
PAGE_ONLY = {"/api/milestones/celebrate"}
DOCUMENT = ["/api/docs", "/api/openapi.json"]
each_closed = pytest.mark.parametrize(("method", "path"), CLOSED, ids=lambda value: str(value).removeprefix("/api/"))


def member_with(role: Role, of: Filled) -> Member:
    return of.seller.members.select_related("person__user").get(role=role)


def status(asker: Asker, method: str, path: str, **query: object) -> int:
    given = {"parent_category": "Tea", **query} if path.endswith("/breakdown") else query
    return int(getattr(asker, method)(path, given).status_code)


def test_every_address_is_in_the_document() -> None:
    resolvers = [each for each in get_resolver().url_patterns if isinstance(each, URLResolver)]
    (tree,) = [each for each in resolvers if str(each.pattern) == "api/"]
    routes = {str(route.pattern) for route in tree.url_patterns if isinstance(route, URLPattern)}
    described = {path.removeprefix("/api/").replace("/1/", "/<category_id>/") for _method, path in OPERATIONS}
    assert routes == described | {"", "docs", "openapi.json"}


@pytest.mark.parametrize("path", ["/api/nothing", "/api/summary/", "/api/categories/x/y"])
def test_an_address_that_is_none_is_refused_like_everything_else(path: str) -> None:
    answer = Asker(Client(), **{"Accept-Language": "en"}).get(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is no such address; /api/docs lists those there are."}


@each_closed
def test_a_stranger_is_told_to_sign_in(method: str, path: str) -> None:
    answer = getattr(nobody(), method)(path)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Sign in, or give a token of yours."}
    assert answer["WWW-Authenticate"] == "Bearer"


@each_closed
def test_an_ended_session_is_a_stranger(method: str, path: str, anna: Filled) -> None:
    client = client_of(anna.owner)
    client.logout()
    client.cookies["sessionid"] = "x" * 32
    assert status(Asker(client), method, path) == 401


@pytest.mark.parametrize("path", DOCUMENT)
def test_the_document_is_for_people_who_are_signed_in(path: str, anna: Filled) -> None:
    answer = nobody().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")
    assert at_the_page(anna.owner).get(path).status_code == 200


@each_closed
def test_a_neighbours_shop_is_not_there(method: str, path: str, anna: Filled, boris: Filled) -> None:
    refusals = {404} | ({403} if path in NEEDS else set()) | ({401} if path in PAGE_ONLY else set())
    for asker in (at_the_page(member_with(Role.VIEWER, boris)), at_the_page(boris.owner), with_token(boris.owner)):
        answer = getattr(asker, method)(path, {"shop": anna.shop.pk, "parent_category": "Tea"})
        assert answer.status_code in refusals
        assert "anna" not in answer.content.decode().lower()


@each_closed
@pytest.mark.parametrize("role", Role)
def test_a_role_is_answered_as_the_table_says(method: str, path: str, role: Role, anna: Filled) -> None:
    allowed = NEEDS.get(path, Action.VIEW) in ALLOWED[role]
    member = member_with(role, anna)
    assert (status(at_the_page(member), method, path) == 403) is not allowed
    if path not in PAGE_ONLY:
        assert (status(with_token(member), method, path) == 403) is not allowed


@each_closed
def test_somebody_of_no_team_is_refused(method: str, path: str, anna: Filled) -> None:
    keeper = person("Keeper")
    User.objects.filter(pk=keeper.user_id).update(is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(keeper.user)
    assert status(Asker(client), method, path) == 403


@pytest.mark.parametrize("path", [path for method, path in CLOSED if method == "get"])
def test_nothing_but_reading_is_offered(path: str, anna: Filled) -> None:
    client = client_of(anna.owner)
    for method in ("put", "patch", "delete"):
        assert getattr(client, method)(path).status_code == 405


@pytest.mark.parametrize("path", sorted(PAGE_ONLY))
def test_what_writes_takes_the_page_itself(path: str, anna: Filled) -> None:
    """No token, and no form of another site in a browser that is signed in here."""
    assert with_token(anna.owner, scope="propose").post(path).status_code == 401
    forged = Client(enforce_csrf_checks=True)
    program = with_token(anna.owner)
    assert forged.post(path, headers=program.headers).status_code == 401
    forged.force_login(anna.owner.person.user)
    refused = forged.post(path)
    assert refused.status_code == 403
    assert refused.json() == {"detail": "This page is out of date. Reload it and try again."}


@pytest.mark.parametrize("scope", MAY_BY_TOKEN)
def test_no_token_approves_or_manages(scope: str) -> None:
    never = {Action.APPROVE, Action.RUN_JOBS, Action.EDIT_CATALOG, Action.STOP, Action.MANAGE}
    assert not MAY_BY_TOKEN[scope] & never


@pytest.mark.parametrize("scope", MAY_BY_TOKEN)
def test_an_owners_token_sees_no_internal_sales(scope: str, anna: Filled) -> None:
    answer = with_token(anna.owner, scope=scope).get("/api/summary", {"sales_type": "internal"})
    assert answer.status_code == 403
    assert "token" in answer.json()["detail"]


def test_a_removed_member_is_refused_at_once(anna: Filled) -> None:
    viewer = member_with(Role.VIEWER, anna)
    page, program = at_the_page(viewer), with_token(viewer)
    assert [asker.get("/api/products").status_code for asker in (page, program)] == [200, 200]
    viewer.delete()
    assert [asker.get("/api/products").status_code for asker in (page, program)] == [403, 401]


def test_answers_are_kept_by_nobody_else(anna: Filled) -> None:
    answer = at_the_page(anna.owner).get("/api/products")
    assert answer["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Authorization"} <= {name.strip() for name in answer["Vary"].split(",")}
