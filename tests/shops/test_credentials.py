"""A marketplace's key is readable in memory alone: not in the database, a dump, a page, a log, the trail or a repr."""

from __future__ import annotations

import logging

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.common.encrypted import UnreadableSecret
from apps.shops.clients import MissingKey, credential_of
from apps.shops.models import Credential, Member
from tests.cast import anna, shop

CANARY = "canary-0b1c22d3e4f5"

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> Credential:
    owner = anna()
    owner.person.user.is_staff = True
    owner.person.user.save()
    made = owner.seller.shops.get().credentials.get()
    made.secret = CANARY
    made.save()
    return Credential.objects.get(pk=made.pk)


def client_of(key: Credential) -> Client:
    client = Client()
    client.force_login(Member.objects.get(seller=key.shop.seller).person.user)
    return client


def dump() -> str:
    """Every table as pg_dump would write it."""
    lines: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'select t::text from "{table}" t')
            lines += [line for (line,) in cursor.fetchall()]
    return "\n".join(lines)


def test_a_dump_of_the_database_holds_no_key(key: Credential) -> None:
    dumped = dump()
    assert "gAAAAA" in dumped  # a Fernet token
    assert CANARY not in dumped
    assert key.secret.reveal() == CANARY


def test_neither_repr_nor_text_nor_json_shows_it(key: Credential) -> None:
    shown = f"{key!r} {key} {key.secret!r} {key.secret} {vars(key)} {serializers.serialize('json', [key])}"
    assert CANARY not in shown
    assert key.secret.masked == "••••e4f5"


def test_a_short_key_is_masked_whole(key: Credential) -> None:
    key.secret = "short-one"
    key.save()
    key.refresh_from_db()
    assert key.secret.masked == "••••"


def test_no_page_shows_it(key: Credential) -> None:
    client = client_of(key)
    name = "admin:shops_credential"
    pages = [
        reverse(f"{name}_changelist"),
        *(reverse(f"{name}_{page}", args=[key.pk]) for page in ("change", "history")),
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        assert CANARY not in answer.content.decode()
    assert "••••e4f5" in client.get(pages[0]).content.decode()


def test_a_form_that_failed_does_not_give_back_what_was_typed(key: Credential) -> None:
    posted = {"client_id": "1" * 201, "secret": "typed-canary"}
    answer = client_of(key).post(reverse("admin:shops_credential_change", args=[key.pk]), posted)
    assert answer.context["errors"]
    assert "typed-canary" not in answer.content.decode()


def test_changing_it_leaves_it_in_no_table_and_no_log(key: Credential, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    posted = {"client_id": "101", "secret": "second-canary"}
    answer = client_of(key).post(reverse("admin:shops_credential_change", args=[key.pk]), posted)
    assert answer.status_code == 302
    key.refresh_from_db()
    assert key.next_secret.reveal() == "second-canary"
    assert "second-canary" not in dump()
    assert "second-canary" not in "\n".join(f"{entry.getMessage()} {vars(entry)}" for entry in caplog.records)


def test_keys_are_rotated_by_putting_a_new_one_first(key: Credential, settings: Settings) -> None:
    old, new = settings.CREDENTIALS_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIALS_KEYS = (new, old)
    again = Credential.objects.get(pk=key.pk)
    assert again.secret.reveal() == CANARY
    again.save()
    settings.CREDENTIALS_KEYS = (new,)
    assert Credential.objects.get(pk=key.pk).secret.reveal() == CANARY


def test_a_lost_key_is_named_without_the_secret(key: Credential, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = (Fernet.generate_key().decode(),)
    with pytest.raises(UnreadableSecret, match=r"OZON Seller API · Shelf.*CREDENTIALS_KEYS") as raised:
        credential_of(key.shop, Credential.Api.OZON_SELLER)
    assert CANARY not in str(raised.value)


def test_a_lost_key_does_not_close_the_page_on_which_another_is_entered(key: Credential, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = (Fernet.generate_key().decode(),)
    client, name = client_of(key), "admin:shops_credential"
    for page in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[key.pk])):
        assert "cannot be read with the keys in CREDENTIALS_KEYS" in client.get(page).content.decode()


def test_a_shop_without_a_key_says_which_one_it_needs() -> None:
    bare = shop(anna().seller, "Bare")
    with pytest.raises(MissingKey, match="“Bare” has no key for OZON Seller API"):
        credential_of(bare, Credential.Api.OZON_SELLER)
