"""The page of the keys: asked live before it is saved, and told in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import Settings

from apps.common import clock
from apps.common.encrypted import Secret
from apps.marketplaces.ozon_seller.price_import import PATH as IMPORT_PRICES
from apps.marketplaces.standins.registry import RunningStandins, running_standins
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.notifications.models import OutboxMessage
from apps.reports.alarms import tell_alarms
from apps.reports.messages import render
from apps.shops import key_check
from apps.shops.models import AuditEntry, Credential
from tests.backoffice.fill import Filled
from tests.backoffice.site import client_of, url
from tests.marketplaces.wire import closed_port

pytestmark = pytest.mark.django_db

END = datetime(2026, 5, 16, 9, 54, tzinfo=UTC)


@pytest.fixture
def market(settings: Settings, empty_redis: redis.Redis) -> Iterator[RunningStandins]:
    with running_standins(
        shops=[ImitatedShop(client_id="101", api_key="right-key-of-101", skus=3, history_days=2)]
    ) as up:
        settings.OZON_API_URL = settings.WORLD_URL = up.url
        yield up


@pytest.fixture
def client(anna: Filled) -> Client:
    return client_of(anna.owner)


@pytest.fixture
def key(anna: Filled) -> Credential:
    """Anna's, as the marketplace knows it."""
    Credential.objects.filter(shop=anna.shop).update(client_id="101", secret=Secret("right-key-of-101"))
    return Credential.objects.get(shop=anna.shop)


def enter(client: Client, key: Credential, **posted: str) -> str:
    """What the person reads after the form was sent."""
    answer = client.post(url(Credential, "change", key.pk), {"client_id": "101", "secret": "", **posted}, follow=True)
    key.refresh_from_db()
    return answer.content.decode()


def add(client: Client, anna: Filled, **posted: str) -> str:
    Credential.objects.filter(shop=anna.shop).delete()
    new = {"shop": str(anna.shop.pk), "api": "ozon_seller", "client_id": "101", "secret": "right-key-of-101"}
    return client.post(url(Credential, "add"), {**new, **posted}, follow=True).content.decode()


def test_a_first_key_is_asked_about_before_it_is_saved(client: Client, anna: Filled, market: RunningStandins) -> None:
    page = add(client, anna)

    assert "OZON accepts the key; it may do all that Vitrina needs." in page
    key = Credential.objects.get(shop=anna.shop)
    assert key.checked_at is not None
    assert f"{key.expires_at:%Y-%m-%d}" == "2026-05-16"
    assert [call.route for call in market.of.frame.calls.of("ozon:*")] == ["ozon:/v1/roles"]


def test_a_wrong_key_is_refused_in_the_marketplaces_words_beside_its_field(
    client: Client, anna: Filled, market: RunningStandins
) -> None:
    page = add(client, anna, secret="wrong-key")

    assert "OZON does not accept it: Invalid Api-Key, please check the key and try again" in page
    assert "wrong-key" not in page
    assert not Credential.objects.filter(shop=anna.shop).exists()


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"client_id": "shop-101"}, "A client id is a whole number above zero."),
        ({"secret": "a key with blanks"}, "A key has neither blanks nor any but Latin letters, digits and signs."),
    ],
)
def test_what_cannot_be_a_key_is_not_even_sent(
    client: Client, anna: Filled, market: RunningStandins, posted: dict[str, str], words: str
) -> None:
    assert words in add(client, anna, **posted)
    assert not market.of.frame.calls.of("ozon:*")


def test_where_the_marketplace_is_silent_the_key_is_saved_and_said_to_be_unchecked(
    client: Client, anna: Filled, settings: Settings
) -> None:
    settings.OZON_API_URL = closed_port()
    page = add(client, anna)
    assert "The key is saved, not checked yet; it will be checked by itself." in page
    assert "not checked yet" in client.get(url(Credential, "changelist")).content.decode()
    assert key_check.due().filter(shop=anna.shop).exists()


def test_it_is_asked_outside_of_the_pages_transaction(
    client: Client, key: Credential, market: RunningStandins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test's own transaction is one level; the page opens another."""
    levels = []
    real = key_check.ask

    def ask(*args: object, **kwargs: object) -> object:
        levels.append(len(connection.savepoint_ids))
        return real(*args, **kwargs)  # type: ignore[arg-type]

    before = len(connection.savepoint_ids)
    monkeypatch.setattr(key_check, "ask", ask)
    market.of.accounts[0].more_keys.add("next-key-of-101")
    enter(client, key, secret="next-key-of-101")
    assert levels == [before]


def test_the_next_key_takes_over_when_it_is_accepted(client: Client, key: Credential, market: RunningStandins) -> None:
    market.of.accounts[0].more_keys.add("next-key-of-101")

    page = enter(client, key, secret="next-key-of-101")

    assert "OZON accepts the key" in page
    assert (key.secret, key.former_secret) == (Secret("next-key-of-101"), Secret("right-key-of-101"))
    shown = client.get(url(Credential, "change", key.pk)).content.decode()
    assert "••••-101, kept until the new one has been seen at work" in shown
    assert "next-key-of-101" not in shown
    entry = AuditEntry.objects.get(action="credential.took_over")
    assert (entry.actor, entry.data) == (
        AuditEntry.objects.get(action="credential.next_entered").actor,
        {"key": "••••-101"},
    )


def test_a_wrong_next_key_leaves_the_present_one_alone(
    client: Client, key: Credential, market: RunningStandins
) -> None:
    page = enter(client, key, secret="wrong-key-of-101")
    assert "OZON does not accept it: Invalid Api-Key" in page
    assert (key.secret, key.next_secret) == (Secret("right-key-of-101"), None)


def test_another_client_id_alone_is_checked_too_and_named(
    client: Client, key: Credential, market: RunningStandins
) -> None:
    page = enter(client, key, client_id="102")
    assert "OZON does not accept it: Invalid Api-Key" in page
    assert key.client_id == "101"


def test_an_unchanged_form_asks_nobody(client: Client, key: Credential, market: RunningStandins) -> None:
    enter(client, key)
    assert not market.of.frame.calls.of("ozon:*")


def test_who_may_not_enter_keys_makes_nobody_ask(anna: Filled, key: Credential, market: RunningStandins) -> None:
    viewer = anna.seller.members.get(role="viewer")
    answer = client_of(viewer).post(url(Credential, "change", key.pk), {"client_id": "101", "secret": "tried-key-101"})
    assert answer.status_code == 403
    assert not market.of.frame.calls.of("ozon:*")


def test_the_page_says_what_the_key_may_and_what_it_lacks(
    client: Client, key: Credential, market: RunningStandins
) -> None:
    market.of.accounts[0].closed_methods.add(IMPORT_PRICES)
    key_check.check(key)

    page = client.get(url(Credential, "change", key.pk)).content.decode()

    assert "read products, read categories, read prices" in page
    assert "lacks rights · It may not: change prices." in page
    assert "Admin read only" in page


def test_the_button_asks_now(client: Client, key: Credential, market: RunningStandins) -> None:
    Credential.objects.update(is_refused=True, problem="Api-key is deactivated")
    client.post(url(Credential, "check_now", key.pk), {"_form_submitted": "True"})
    assert "OZON accepts the key" in client.get(url(Credential, "changelist")).content.decode()
    key.refresh_from_db()
    assert not key.is_refused


def days_before(days: float) -> datetime:
    return END - timedelta(days=days)


def test_its_end_is_told_thirty_and_seven_days_and_a_day_before_and_when_it_has_come(
    anna: Filled, key: Credential
) -> None:
    Credential.objects.filter(pk=key.pk).update(expires_at=END)
    told: list[int] = []
    for days in (31, 30, 20, 7, 6.5, 1, 0.5, 0, -1):
        for _ in range(2):
            tell_alarms(now=days_before(days))
        told.append(OutboxMessage.objects.filter(name="key_expires").count())
    assert told == [0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_the_warning_is_said_in_the_readers_language(anna: Filled, key: Credential) -> None:
    Credential.objects.filter(pk=key.pk).update(expires_at=END)
    tell_alarms(now=days_before(7))
    message = OutboxMessage.objects.get(name="key_expires")
    assert message.person == anna.owner.person
    text = render(message, now=days_before(7)).text
    assert "Anna shelf: the key (OZON Seller API) expires on May 16, 12:54" in text
    assert "has expired on" in render(message, now=days_before(-1)).text
    message.person.language = "ru"
    assert "срок ключа (OZON Seller API) истекает 16 мая, 12:54" in render(message, now=days_before(7)).text


def test_the_overview_names_the_keys_that_need_somebody(
    client: Client, key: Credential, market: RunningStandins
) -> None:
    key_check.check(key)
    assert said_on_the_overview(client) == ""

    Credential.objects.update(expires_at=clock.now() + timedelta(days=6, hours=2))
    assert said_on_the_overview(client) == "expires within 7 days"
    Credential.objects.update(is_refused=True, problem="Api-key is deactivated")
    assert said_on_the_overview(client) == "refused Api-key is deactivated"


def said_on_the_overview(client: Client) -> str:
    """Of Anna's key, up to where the page goes on with its search."""
    text = " ".join(strip_tags(client.get("/admin/").content.decode()).split())
    _before, found, after = text.partition("Key for OZON Seller API: ")
    return after.removesuffix(" search progress_activity esc") if found else ""
