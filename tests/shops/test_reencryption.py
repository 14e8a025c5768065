"""New keys for CREDENTIALS_KEYS: every stored secret moves to the first one, and it is said which may go."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.common import reencrypt
from apps.common.encrypted import Secret, UnreadableSecret
from apps.shops.models import AuditEntry, Credential
from tests.cast import anna, boris

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys() -> tuple[Credential, Credential]:
    """Anna's, with a next and a former one beside it, and Boris's."""
    hers = anna().seller.shops.get().credentials.get()
    hers.next_secret, hers.former_secret = Secret("the next one"), Secret("the former one")
    hers.save()
    return hers, boris().seller.shops.get().credentials.get()


def new_key() -> str:
    return Fernet.generate_key().decode()


def rotate() -> str:
    out = StringIO()
    call_command("rotate_encryption_key", stdout=out)
    return out.getvalue()


def test_everything_moves_to_the_first_key_and_the_old_ones_may_go(
    keys: tuple[Credential, Credential], settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = (new_key(), *settings.CREDENTIALS_KEYS)

    said = rotate()

    assert "shops.Credential.secret: 2 of 2" in said
    assert "4 encrypted anew, 0 had the first key already." in said
    assert "number 2 of CREDENTIALS_KEYS may be removed" in said
    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]
    hers = Credential.objects.get(pk=keys[0].pk)
    found = (hers.secret, hers.next_secret, hers.former_secret)
    assert found == (Secret("key-of-101"), Secret("the next one"), Secret("the former one"))
    assert Credential.objects.get(pk=keys[1].pk).secret.reveal() == "key-of-202"
    assert AuditEntry.objects.get(action="credential.reencrypted").data == {"changed": 4, "unreadable": []}


def test_a_run_that_was_cut_off_goes_on_with_what_is_left(
    keys: tuple[Credential, Credential], settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = (new_key(), *settings.CREDENTIALS_KEYS)

    def stop_at_the_second(column: object, number: int, total: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reencrypt.reencrypt(stop_at_the_second)

    assert "2 encrypted anew, 2 had the first key already." in rotate()


def test_a_lost_key_names_what_it_locked_and_the_rest_moves(
    keys: tuple[Credential, Credential], settings: Settings
) -> None:
    old = settings.CREDENTIALS_KEYS
    settings.CREDENTIALS_KEYS = (new_key(),)
    lost = Credential.objects.get(pk=keys[1].pk)
    lost.secret = Secret("under a key that is lost")
    lost.save()
    settings.CREDENTIALS_KEYS = (new_key(), *old)

    with pytest.raises(CommandError, match=rf"key {lost.pk} “OZON Seller API · Shelf”, key") as raised:
        rotate()

    assert "remove no key" in str(raised.value)
    assert "gAAAA" not in str(raised.value)
    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]
    assert Credential.objects.get(pk=keys[0].pk).secret.reveal() == "key-of-101"
    with pytest.raises(UnreadableSecret):
        Credential.objects.get(pk=lost.pk).secret.reveal()


def test_with_one_key_nothing_is_to_be_done(keys: tuple[Credential, Credential]) -> None:
    said = rotate()
    assert "0 encrypted anew, 4 had the first key already." in said
    assert "CREDENTIALS_KEYS has one key, and it is in use." in said


def test_a_secret_that_was_changed_meanwhile_is_left_as_it_was_changed(
    keys: tuple[Credential, Credential], settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = (new_key(), *settings.CREDENTIALS_KEYS)

    def replace(column: object, number: int, total: int) -> None:
        if number == 1:
            Credential.objects.filter(pk=keys[1].pk).update(secret=Secret("entered meanwhile"))

    reencrypt.reencrypt(replace)
    assert Credential.objects.get(pk=keys[1].pk).secret.reveal() == "entered meanwhile"
