"""A seller's team: who is in it, how they get in, and what the owner may do with whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from apps.common.clock import real_now
from apps.shops.linking import link
from apps.shops.models import AuditEntry, Member, Person, Shop
from apps.shops.roles import Role
from tests.cast import anna, boris, member

PASSWORD = "a-long-enough-phrase"
TEAM = "admin:shops_member"

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Member:
    made = anna()
    User.objects.filter(pk=made.person.user_id).update(is_staff=True)
    return made


@pytest.fixture
def client(owner: Member) -> Client:
    client = Client()
    client.force_login(owner.person.user)
    return client


def new_member(owner: Member, **changed: Any) -> dict[str, Any]:
    return {
        "seller": owner.seller_id,
        "role": "approver",
        "username": "clara",
        "first_name": "Clara",
        "last_name": "",
        "language": "uk",
        "password": PASSWORD,
        **changed,
    }


def add(client: Client, owner: Member, **changed: Any) -> Any:
    return client.post(reverse(f"{TEAM}_add"), new_member(owner, **changed))


def change(client: Client, of: Member, **changed: Any) -> Any:
    posted = {"role": of.role, "first_name": "Clara", "last_name": "", "language": "uk", "password": "", **changed}
    return client.post(reverse(f"{TEAM}_change", args=[of.pk]), posted)


def run(client: Client, action: str, *members: Member) -> str:
    posted = {"action": action, ACTION_CHECKBOX_NAME: [one.pk for one in members], "index": 0, "post": "yes"}
    answer = client.post(reverse(f"{TEAM}_changelist"), posted, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def clara(owner: Member) -> Member:
    return Member.objects.select_related("person__user").get(person__user__username="clara", seller=owner.seller)


def test_an_owner_adds_a_person_who_then_logs_in(client: Client, owner: Member) -> None:
    add(client, owner)
    theirs = Client()
    assert theirs.login(username="clara", password=PASSWORD)
    page = theirs.get("/admin/catalog/product/")
    assert page.status_code == 200
    assert page.headers["Content-Language"] == "uk"
    assert clara(owner).role == Role.APPROVER
    entry = AuditEntry.objects.get(action="member.created")
    assert (entry.actor, entry.seller) == (owner.person, owner.seller)
    assert PASSWORD not in str(entry.data)


def test_a_person_without_a_password_has_no_login(client: Client, owner: Member) -> None:
    add(client, owner, password="")
    user = clara(owner).person.user
    assert not user.has_usable_password()
    assert not user.is_staff


def test_a_person_gets_a_login_later(client: Client, owner: Member) -> None:
    add(client, owner, password="")
    change(client, clara(owner), password=PASSWORD)
    assert Client().login(username="clara", password=PASSWORD)
    assert clara(owner).person.user.is_staff


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"username": "ANNA"}, "username"),
        ({"username": "no spaces, please"}, "username"),
        ({"password": "12345"}, "password"),
        ({"first_name": ""}, "first_name"),
        ({"role": "king"}, "role"),
        ({"language": "fr"}, "language"),
    ],
)
def test_a_bad_form_creates_nobody(client: Client, owner: Member, changed: dict[str, str], field: str) -> None:
    answer = add(client, owner, **changed)
    assert answer.context["adminform"].form.errors[field]
    assert User.objects.count() == 1


def test_nobody_is_added_to_another_seller(client: Client, owner: Member) -> None:
    other = boris()
    answer = add(client, owner, seller=other.seller_id)
    assert answer.context["adminform"].form.errors["seller"]
    assert other.seller.members.count() == 1


def test_a_role_is_changed_and_the_trail_says_from_what_to_what(client: Client, owner: Member) -> None:
    add(client, owner)
    change(client, clara(owner), role="viewer")
    assert clara(owner).role == Role.VIEWER
    assert AuditEntry.objects.get(action="member.changed").data["changes"]["role"] == ["approver", "viewer"]


def test_the_last_owner_stays_owner(client: Client, owner: Member) -> None:
    answer = change(client, owner, first_name="Anna", role="viewer")
    assert "needs an owner" in str(answer.context["errors"])
    assert client.get(reverse(f"{TEAM}_delete", args=[owner.pk])).status_code == 403
    run(client, "delete_selected", owner)
    assert Member.objects.get(pk=owner.pk).role == Role.OWNER


def test_two_owners_cannot_remove_each_other_at_once(client: Client, owner: Member) -> None:
    second = member(owner.seller, "Clara", Role.OWNER)
    posted = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [owner.pk, second.pk], "index": 0, "post": "yes"}
    assert client.post(reverse(f"{TEAM}_changelist"), posted).status_code == 403
    assert owner.seller.members.count() == 2


def test_a_removed_member_loses_the_seller_and_keeps_the_others(client: Client, owner: Member) -> None:
    add(client, owner)
    gone = clara(owner)
    Member.objects.create(person=gone.person, seller=boris().seller, role=Role.VIEWER)
    run(client, "delete_selected", gone)
    assert AuditEntry.objects.get(action="member.removed").subject == f"shops.member:{gone.pk}"
    person = Person.objects.get(pk=gone.person_id)
    assert person.active_seller is None
    assert [one.seller.name for one in person.members.all()] == ["Boris & sons"]


def test_a_code_links_the_person_to_telegram(client: Client, owner: Member) -> None:
    add(client, owner)
    said = run(client, "give_code", clara(owner))
    code = said.rsplit(" ", 1)[-1]
    assert link(code=code, telegram_id=777, now=real_now()) == clara(owner).person
    assert "linked" in client.get(reverse(f"{TEAM}_changelist")).content.decode()


def test_the_list_says_until_when_a_code_is_good(client: Client, owner: Member) -> None:
    add(client, owner)
    run(client, "give_code", clara(owner))
    assert "code until" in client.get(reverse(f"{TEAM}_changelist")).content.decode()


@pytest.fixture
def shared(owner: Member) -> Member:
    """Somebody who owns another seller and looks on at Anna's."""
    other = boris()
    return Member.objects.create(person=other.person, seller=owner.seller, role=Role.VIEWER)


def test_no_owner_takes_over_a_person_who_works_elsewhere_too(client: Client, owner: Member, shared: Member) -> None:
    """A code would speak to the bot as Boris, a password would open Boris's shops."""
    assert "works elsewhere too" in run(client, "give_code", shared)
    assert not shared.person.link_codes.exists()
    change(client, shared, first_name="Forged", language="en", password=PASSWORD, role="analyst")
    user = User.objects.get(pk=shared.person.user_id)
    assert user.first_name == "Boris"
    assert not user.has_usable_password()
    assert Member.objects.get(pk=shared.pk).role == Role.ANALYST


def test_no_owner_takes_over_whoever_keeps_the_installation(client: Client, owner: Member) -> None:
    keeper = member(owner.seller, "Keeper", Role.VIEWER)
    User.objects.filter(pk=keeper.person.user_id).update(is_superuser=True)
    change(client, keeper, password=PASSWORD)
    assert not User.objects.get(pk=keeper.person.user_id).has_usable_password()
    assert "works elsewhere too" in run(client, "give_code", keeper)


def test_everybody_sets_their_own_language_and_seller(client: Client, owner: Member) -> None:
    Member.objects.create(person=owner.person, seller=boris().seller, role=Role.VIEWER)
    other = Member.objects.get(seller__name="Boris & sons", person=owner.person).seller
    answer = client.post(reverse("my-settings"), {"language": "ru", "active_seller": other.pk}, follow=True)
    assert answer.headers["Content-Language"] == "ru"
    owner.person.refresh_from_db()
    assert (owner.person.language, owner.person.active_seller) == ("ru", other)


def test_everybody_chooses_the_shop_that_answers_first_at_each_seller(client: Client, owner: Member) -> None:
    other = Member.objects.create(person=owner.person, seller=boris().seller, role=Role.VIEWER)
    mine, theirs = (Shop.objects.create(seller=one.seller, name=f"{one.seller} 2") for one in (owner, other))
    address, wish = reverse("my-settings"), {"language": "en", "active_seller": owner.seller_id}
    client.post(address, {**wish, "active_shop": mine.pk})
    refused = client.post(address, {**wish, "active_shop": theirs.pk})
    assert refused.context["form"].errors["active_shop"]
    client.post(address, {**wish, "active_seller": other.seller_id})
    client.post(address, {**wish, "active_seller": other.seller_id, "active_shop": theirs.pk})
    for one, chosen in ((owner, mine), (other, theirs)):
        one.refresh_from_db()
        assert one.active_shop == chosen


def test_a_superuser_sets_a_password_and_the_trail_says_so(client: Client, owner: Member) -> None:
    User.objects.filter(pk=owner.person.user_id).update(is_superuser=True)
    other = boris().person.user
    posted = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    client.post(reverse("admin:auth_user_password_change", args=[other.pk]), posted)
    assert User.objects.get(pk=other.pk).check_password(PASSWORD)
    entry = AuditEntry.objects.get(action="login.password_set")
    assert (entry.subject, entry.data) == (f"auth.user:{other.pk}", {})


def test_a_superuser_brings_a_person_into_another_team(client: Client, owner: Member) -> None:
    User.objects.filter(pk=owner.person.user_id).update(is_superuser=True)
    other = boris()
    posted = {
        "user": other.person.user_id,
        "telegram_id": 2002,
        "language": "en",
        "active_seller": "",
        "members-TOTAL_FORMS": 2,
        "members-INITIAL_FORMS": 1,
        "members-0-id": other.pk,
        "members-0-person": other.person_id,
        "members-0-seller": other.seller_id,
        "members-0-role": "owner",
        "members-1-person": other.person_id,
        "members-1-seller": owner.seller_id,
        "members-1-role": "viewer",
    }
    client.post(reverse("admin:shops_person_change", args=[other.person_id]), posted)
    assert owner.seller.members.filter(person=other.person, role=Role.VIEWER).exists()
    entry = AuditEntry.objects.get(action="member.created")
    assert (entry.seller, entry.data["changes"]["role"][1]) == (owner.seller, "viewer")
