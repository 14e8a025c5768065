"""The release step makes what the environment names, once; afterwards the admin is the truth."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from apps.backoffice.bootstrap import bootstrap
from apps.jobs.timetable import ticks
from apps.shops.models import AuditEntry, Credential, Member, Person, Seller, Shop
from apps.shops.roles import Role
from config.timetable import TIMETABLE
from tests.cast import boris

pytestmark = pytest.mark.django_db

SECRET = "canary-of-the-environment"


@pytest.fixture
def environment(settings: Settings) -> Settings:
    settings.OZON_CLIENT_ID, settings.OZON_API_KEY = "101", SECRET
    settings.OZON_PERFORMANCE_CLIENT_ID, settings.OZON_PERFORMANCE_API_KEY = "ads-101", SECRET
    settings.KEYCRM_API_KEY = SECRET
    settings.ANTHROPIC_API_KEY = SECRET
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "anna", "a-long-enough-phrase"
    settings.ADMIN_USER_IDS = (1001, 1002)
    settings.TELEGRAM_ADMIN_CHAT_ID = 7
    settings.TIME_ZONE = "Asia/Omsk"
    settings.LANGUAGE_CODE = "uk"
    return settings


def test_an_empty_environment_makes_the_ticks_alone() -> None:
    assert bootstrap() == []
    assert not Seller.objects.exists()
    assert PeriodicTask.objects.count() == len(ticks())


def test_a_full_environment_makes_a_seller_with_shops_keys_and_owners(environment: Settings) -> None:
    lines = bootstrap()
    assert SECRET not in "".join(lines)
    seller = Seller.objects.get()
    ozon, keycrm = seller.shops.get(kind="ozon"), seller.shops.get(kind="keycrm")
    assert (ozon.currency, ozon.timezone) == ("RUB", "Asia/Omsk")
    assert (keycrm.currency, keycrm.timezone, keycrm.crm_rules.brand_field) == ("UAH", "Europe/Kyiv", "CT_1001")
    keys = {key.api: (key.client_id, key.secret.reveal()) for key in Credential.objects.all()}
    assert keys == {
        "ozon_seller": ("101", SECRET),
        "ozon_performance": ("ads-101", SECRET),
        "keycrm": ("", SECRET),
        "anthropic": ("", SECRET),
    }
    assert {key.shop for key in Credential.objects.filter(api="anthropic")} == {ozon, keycrm}
    assert PeriodicTask.objects.filter(name__endswith=f"#{ozon.pk}", enabled=True).count() == sum(
        "ozon" in job.kinds for job in TIMETABLE
    )
    people = {person.telegram_id: person for person in Person.objects.select_related("user")}
    assert people[1001].user.get_username() == "anna"
    assert not people[1002].user.has_usable_password()
    assert {member.role for member in Member.objects.all()} == {Role.OWNER}
    assert {person.language for person in people.values()} == {"uk"}
    assert AuditEntry.objects.filter(seller=seller).count() == 11


def test_the_owner_of_the_environment_logs_in_and_keeps_the_installation(environment: Settings) -> None:
    bootstrap()
    client = Client()
    assert client.login(username="anna", password="a-long-enough-phrase")
    assert client.get("/admin/auth/user/").status_code == 200


def test_the_keys_lie_encrypted_in_the_database(environment: Settings) -> None:
    bootstrap()
    with connection.cursor() as cursor:
        cursor.execute("select secret from shops_credential")
        stored = [row[0] for row in cursor.fetchall()]
    assert len(stored) == 5
    assert all(SECRET not in text for text in stored)


@pytest.mark.parametrize(
    ("name", "api"),
    [
        ("OZON_API_KEY", "ozon_seller"),
        ("OZON_PERFORMANCE_API_KEY", "ozon_performance"),
        ("KEYCRM_API_KEY", "keycrm"),
        ("ANTHROPIC_API_KEY", "anthropic"),
    ],
)
def test_a_removed_key_stays_removed_and_a_changed_one_stays_changed(
    environment: Settings, name: str, api: str
) -> None:
    bootstrap()
    Credential.objects.exclude(api=api).update(secret="from the admin")
    Credential.objects.filter(api=api).delete()
    setattr(environment, name, "another key in the environment")
    assert bootstrap() == []
    assert not Credential.objects.filter(api=api).exists()
    assert {key.secret.reveal() for key in Credential.objects.all()} == {"from the admin"}


def test_the_key_to_claude_goes_to_a_shop_that_comes_later(environment: Settings) -> None:
    bootstrap()
    Shop.objects.create(seller=Seller.objects.get(), kind="ozon", name="Second")
    assert bootstrap() == ["key Claude API · Second"]


def test_the_key_to_claude_waits_for_a_shop_and_that_is_said(settings: Settings) -> None:
    settings.ANTHROPIC_API_KEY = SECRET
    assert said_by_the_command() == [
        "nothing to create: the admin is the truth",
        "ANTHROPIC_API_KEY is not kept yet: it is read again when there is a shop.",
    ]


def test_telegram_ids_alone_make_owners(settings: Settings) -> None:
    settings.ADMIN_USER_IDS = (1001, 1002, 1001)
    bootstrap()
    assert list(Member.objects.order_by("pk").values_list("person__telegram_id", "role")) == [
        (1001, Role.OWNER),
        (1002, Role.OWNER),
    ]


def test_the_admins_private_chat_stands_for_its_person(settings: Settings) -> None:
    settings.TELEGRAM_ADMIN_CHAT_ID = 7
    bootstrap()
    assert Member.objects.get().person.telegram_id == 7


def test_running_it_again_changes_nothing(environment: Settings) -> None:
    bootstrap()
    entries = AuditEntry.objects.count()
    assert bootstrap() == []
    assert AuditEntry.objects.count() == entries


def test_what_people_changed_stays_changed(environment: Settings) -> None:
    bootstrap()
    Shop.objects.filter(kind="ozon").update(name="Renamed", is_active=False, timezone="Europe/Samara")
    Credential.objects.filter(api="ozon_seller").update(client_id="202")
    Credential.objects.filter(api="ozon_performance").delete()
    Member.objects.filter(person__telegram_id=1002).delete()
    User.objects.filter(username="anna").update(is_superuser=False)
    assert bootstrap() == []
    shop = Shop.objects.get(kind="ozon")
    assert (shop.name, shop.is_active, shop.timezone) == ("Renamed", False, "Europe/Samara")
    assert shop.credentials.get(api="ozon_seller").client_id == "202"
    assert Member.objects.get().person.telegram_id == 1001
    assert not User.objects.get(username="anna").is_superuser


def test_a_person_who_was_removed_stays_removed(environment: Settings) -> None:
    bootstrap()
    User.objects.all().delete()
    assert bootstrap() == []
    assert not Member.objects.exists()


def test_a_key_that_comes_later_is_added_to_the_shop_that_is_there(environment: Settings) -> None:
    environment.OZON_PERFORMANCE_API_KEY = ""
    bootstrap()
    environment.OZON_PERFORMANCE_API_KEY = SECRET
    assert bootstrap() == ["key OZON Performance API · OZON"]


def test_a_telegram_id_that_somebody_has_stays_theirs(environment: Settings) -> None:
    other = boris()
    environment.ADMIN_USER_IDS = (2002,)
    bootstrap()
    assert Person.objects.get(telegram_id=2002) == other.person
    assert Person.objects.get(user__username="anna").telegram_id is None


def test_a_telegram_id_that_comes_later_is_left_to_the_admin_and_that_is_said(environment: Settings) -> None:
    environment.ADMIN_USER_IDS, environment.TELEGRAM_ADMIN_CHAT_ID = (), None
    bootstrap()
    environment.ADMIN_USER_IDS = (1001,)
    assert said_by_the_command() == [
        "nothing to create: the admin is the truth",
        "1001 of ADMIN_USER_IDS is nobody here: a code from the admin links a person to it.",
    ]


def test_a_group_is_nobodys_telegram_and_that_is_said(environment: Settings) -> None:
    environment.ADMIN_USER_IDS = ()
    environment.TELEGRAM_ADMIN_CHAT_ID = -100200300
    assert said_by_the_command()[-1] == (
        "TELEGRAM_ADMIN_CHAT_ID is not used: it is a group, and only people are written to."
    )
    assert Person.objects.get().telegram_id is None


def test_a_chat_beside_the_named_people_is_not_used_and_that_is_said(environment: Settings) -> None:
    assert said_by_the_command()[-1] == (
        "TELEGRAM_ADMIN_CHAT_ID is not used: ADMIN_USER_IDS names the people who are written to."
    )
    assert not Person.objects.filter(telegram_id=7).exists()


def test_the_command_names_what_it_made_and_no_secret(environment: Settings) -> None:
    environment.TELEGRAM_ADMIN_CHAT_ID = None
    first = said_by_the_command()
    assert "created shop OZON" in first
    assert "created key Claude API · OZON" in first
    assert SECRET not in "".join(first)
    assert said_by_the_command() == ["nothing to create: the admin is the truth"]


def said_by_the_command() -> list[str]:
    words = StringIO()
    call_command("bootstrap", stdout=words)
    return words.getvalue().splitlines()
