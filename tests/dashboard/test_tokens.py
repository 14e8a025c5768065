"""Personal tokens: told once, kept as a digest, ended by time, by a person, or with the membership."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.common.clock import real_now
from apps.dashboard.models import ApiToken
from apps.dashboard.tokens import find_token, issue_token, revoke_token
from apps.shops.models import AuditEntry, Member, Shop
from apps.shops.roles import Role
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of
from tests.dashboard.asking import Asker, with_token

pytestmark = pytest.mark.django_db
PAGE = "/admin/me/tokens/"


def made_on_the_page(client: Client, **given: Any) -> str:
    answer = client.post(PAGE, {"name": "My sheet", "scope": "read", "days": 30, **given})
    assert "no-store" in answer["Cache-Control"]
    (text,) = re.findall(r"vt_[\w-]{43}", answer.content.decode())
    return str(text)


def test_a_person_makes_one_and_a_program_asks_with_it(anna: Filled) -> None:
    text = made_on_the_page(client_of(anna.owner))
    program = Asker(Client(), Authorization=f"Bearer {text}")
    assert program.json("/api/products")["count"] == 3


def test_it_is_shown_once_and_only_its_digest_is_kept(anna: Filled) -> None:
    client = client_of(anna.owner)
    text = made_on_the_page(client)
    page = client.get(PAGE).content.decode()
    assert text not in page
    assert text[:10] in page
    kept = ApiToken.objects.filter(prefix=text[:10]).values().get()
    assert not any(text in str(value) for value in kept.values())


def test_making_and_revoking_are_written_down(anna: Filled) -> None:
    client = client_of(anna.owner)
    text = made_on_the_page(client)
    token = ApiToken.objects.get(prefix=text[:10])
    client.post(PAGE, {"revoke": token.pk})
    rows = AuditEntry.objects.filter(subject=f"dashboard.apitoken:{token.pk}").order_by("pk")
    assert [row.action for row in rows] == ["api_token.issued", "api_token.revoked"]
    assert {row.actor for row in rows} == {anna.owner.person}
    assert not any(text in str(row.data) for row in rows)


def test_a_revoked_one_is_refused_at_once(anna: Filled) -> None:
    program = with_token(anna.owner)
    assert program.get("/api/products").status_code == 200
    revoke_token(token=ApiToken.objects.latest("pk"), by=anna.owner.person, now=real_now())
    answer = program.get("/api/products")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "This token is wrong, revoked or expired."}


def test_revoking_twice_is_written_down_once(anna: Filled) -> None:
    token, _text = issue_token(member=anna.owner, name="x", scope="read", life=timedelta(days=1), now=real_now())
    for _time in range(2):
        revoke_token(token=token, by=anna.owner.person, now=real_now())
    assert AuditEntry.objects.filter(action="api_token.revoked").count() == 1


def test_it_ends_at_its_last_moment(anna: Filled) -> None:
    now = real_now()
    token, text = issue_token(member=anna.owner, name="x", scope="read", life=timedelta(days=1), now=now)
    shown = find_token(text, now=token.expires_at - timedelta(microseconds=1))
    assert shown
    assert (shown.token, shown.token.member, shown.shops) == (token, anna.owner, (anna.shop,))
    assert find_token(text, now=token.expires_at) is None


def test_it_ends_with_the_login_and_with_the_membership(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").get(role=Role.VIEWER)
    _token, text = issue_token(member=viewer, name="x", scope="read", life=timedelta(days=1), now=real_now())
    viewer.person.user.is_active = False
    viewer.person.user.save()
    assert find_token(text, now=real_now()) is None
    viewer.person.user.is_active = True
    viewer.person.user.save()
    assert find_token(text, now=real_now())
    viewer.delete()
    assert find_token(text, now=real_now()) is None


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=366), timedelta(days=-1)])
def test_it_lives_a_year_at_most(anna: Filled, life: timedelta) -> None:
    with pytest.raises(ValueError, match="at most 365 days"):
        issue_token(member=anna.owner, name="x", scope="read", life=life, now=real_now())


def test_it_is_known_by_one_statement_that_is_planned_once(anna: Filled) -> None:
    _token, text = issue_token(member=anna.owner, name="x", scope="read", life=timedelta(days=1), now=real_now())
    for _call in range(10):
        find_token(text, now=real_now())
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(generic_plans) from pg_prepared_statements where statement like %s", ["-- Who shows%"]
        )
        assert cursor.fetchone()[0] > 0


def test_its_use_is_noted_to_the_hour(anna: Filled) -> None:
    now = real_now()
    _token, text = issue_token(member=anna.owner, name="x", scope="read", life=timedelta(days=1), now=now)
    find_token(text, now=now)
    with CaptureQueriesContext(connection) as others:
        find_token(text, now=now + timedelta(minutes=59))
    assert not others
    assert ApiToken.objects.latest("pk").used_at == now
    find_token(text, now=now + timedelta(minutes=61))
    assert ApiToken.objects.latest("pk").used_at == now + timedelta(minutes=61)


@pytest.mark.parametrize("text", ["", "vt_", "vt_wrong", "Ünïcode", "\x00", "x" * 4000])
def test_a_wrong_one_is_refused_even_beside_a_session(anna: Filled, text: str) -> None:
    client = client_of(anna.owner)
    answer = Asker(client, Authorization=f"Bearer {text}").get("/api/products")
    assert answer.status_code == 401


def test_it_works_with_its_own_seller_whatever_else_the_person_does(anna: Filled, boris: Filled) -> None:
    """A person of two teams: the token is of the one it was made at."""
    Member.objects.create(person=anna.owner.person, seller=boris.seller, role=Role.OWNER)
    program = with_token(anna.owner)
    anna.owner.person.active_seller = boris.seller
    anna.owner.person.save()
    assert program.json("/api/products")["count"] == 3


def test_it_knows_the_shop_that_its_person_chose(anna: Filled) -> None:
    second = Shop.objects.create(seller=anna.seller, name="Second")
    Member.objects.filter(pk=anna.owner.pk).update(active_shop=second)
    _token, text = issue_token(member=anna.owner, name="x", scope="read", life=timedelta(days=1), now=real_now())
    shown = find_token(text, now=real_now())
    assert shown
    assert shown.token.member.active_shop_id == second.pk


def test_a_person_sees_and_revokes_only_their_own(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").get(role=Role.VIEWER)
    theirs = anna.owner.api_tokens.get()
    client = client_of(viewer)
    assert theirs.prefix not in client.get(PAGE).content.decode()
    for key in (theirs.pk, "x", "9" * 30, "²"):
        assert client.post(PAGE, {"revoke": key}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_the_owner_revokes_somebody_elses(anna: Filled) -> None:
    viewer = anna.seller.members.select_related("person__user").get(role=Role.VIEWER)
    program = with_token(viewer)
    token = viewer.api_tokens.get()
    client_of(anna.owner).post(
        "/admin/dashboard/apitoken/", {"action": "revoke", "_selected_action": [token.pk], "index": 0}
    )
    assert program.get("/api/products").status_code == 401


def test_the_form_names_what_is_missing(anna: Filled) -> None:
    answer = client_of(anna.owner).post(PAGE, {"name": "", "scope": "approve", "days": 9999})
    assert set(answer.context["form"].errors) == {"name", "scope", "days"}
    assert anna.owner.api_tokens.count() == 1


def test_errors_are_in_the_language_of_the_tokens_person(anna: Filled) -> None:
    anna.owner.person.language = "uk"
    anna.owner.person.save()
    answer = with_token(anna.owner).get("/api/products", {"page": "0"}, **{"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "page" in answer.json()["detail"]
    assert "Accepted" not in answer.json()["detail"]
