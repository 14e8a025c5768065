"""The life of a key, against a marketplace that imitates OZON's answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import redis
from django.db import connection
from pytest_django import Settings

from apps.common.clock import real_now
from apps.common.db import session_lock
from apps.common.encrypted import Secret
from apps.marketplaces.errors import MissingRole, Temporary, WrongCredentials
from apps.marketplaces.ozon_seller.price_import import PATH as IMPORT_PRICES
from apps.marketplaces.standins.ozon_seller import Account
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.marketplaces.standins.registry import running_standins
from apps.shops import key_check, key_words, keys
from apps.shops.clients import KeyRefused, ozon_seller
from apps.shops.models import AuditEntry, Credential, Shop
from tests import cast
from tests.marketplaces.wire import closed_port

pytestmark = pytest.mark.django_db

OLD, NEW = "key-of-101", "new-key-of-101"
MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)  # weeks before the key expires
SHOPS = [
    ImitatedShop(client_id="101", api_key=OLD, seed=1, skus=3, history_days=2),
    ImitatedShop(client_id="102", api_key="key-of-102", seed=2, skus=3, history_days=2),
]


@pytest.fixture
def market(settings: Settings, empty_redis: redis.Redis) -> Iterator[Account]:
    """Anna's cabinet at the marketplace; 102 is another one."""
    with running_standins(shops=SHOPS) as standins:
        settings.OZON_API_URL = standins.url
        yield standins.of.accounts[0]


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


def key_of(shop: Shop) -> Credential:
    return Credential.objects.select_related("shop").get(shop=shop)


def enter(shop: Shop, secret: str, *, client_id: str = "101", asked: bool = True) -> Credential:
    """What the page does with a new key; not `asked`: the marketplace could not be reached."""
    roles = key_check.ask(client_id, Secret(secret)) if asked else None
    return keys.enter_next(key_id=key_of(shop).pk, client_id=client_id, secret=Secret(secret), roles=roles, by=None)


def trail() -> list[str]:
    return list(
        AuditEntry.objects.filter(action__startswith="credential.").order_by("pk").values_list("action", flat=True)
    )


class TestChecking:
    def test_what_the_key_may_do_and_until_when_is_written_down(self, market: Account, shop: Shop) -> None:
        key_check.check(key_of(shop))

        key = key_of(shop)
        assert (key.roles, f"{key.expires_at:%Y-%m-%d}") == (["Admin"], "2026-05-16")
        assert key_words.lacks(key) == []
        assert "change prices" in key_words.may(key)
        assert key.checked_at is not None

    def test_what_is_missing_is_named_by_what_it_is_for(self, market: Account, shop: Shop) -> None:
        market.closed_methods.add(IMPORT_PRICES)
        key_check.check(key_of(shop))
        assert key_words.lacks(key_of(shop)) == ["change prices"]
        assert key_words.standing(key_of(shop), MARCH).words == "It may not: change prices."

    def test_a_method_that_is_closed_to_the_key_is_not_the_keys_end(self, market: Account, shop: Shop) -> None:
        market.closed_methods.add("/v5/product/info/prices")
        with pytest.raises(MissingRole, match="missing a required role"):
            list(ozon_seller(shop).prices())
        assert not key_of(shop).is_refused

    def test_where_nobody_answers_nothing_changes(self, shop: Shop, settings: Settings) -> None:
        settings.OZON_API_URL = closed_port()
        with pytest.raises(Temporary):
            key_check.check(key_of(shop))
        key = key_of(shop)
        assert (key.checked_at, key.problem, key.is_refused) == (None, "", False)
        assert key_words.standing(key, real_now()).label == "not checked yet"

    def test_what_could_not_be_checked_is_due_and_is_asked_once_in_a_while(self, market: Account, shop: Shop) -> None:
        key = key_of(shop)
        assert list(key_check.due()) == [key]
        market.api_key = "another"
        key_check.probe(key.pk)
        assert key_of(shop).is_refused
        assert not key_check.due().exists()

        market.api_key = OLD
        key_check.probe(key.pk)
        assert key_of(shop).is_refused, "it was not due"
        Credential.objects.update(ask_at=real_now() - timedelta(seconds=1))
        key_check.probe(key.pk)
        assert not key_of(shop).is_refused
        assert not key_check.due().exists()


class TestTheCircuit:
    def test_a_refusal_opens_it_and_nothing_is_asked_any_more(self, market: Account, shop: Shop) -> None:
        market.api_key = "another"
        client = ozon_seller(shop)
        with pytest.raises(WrongCredentials):
            client.seller_info()

        with pytest.raises(KeyRefused, match="Invalid Api-Key"):
            ozon_seller(shop)
        assert OLD not in key_of(shop).problem
        assert trail() == ["credential.refused"]

    def test_a_second_worker_with_the_same_refusal_adds_nothing(self, market: Account, shop: Shop) -> None:
        market.api_key = "another"
        clients = [ozon_seller(shop) for _ in range(2)]
        for client in clients:
            with pytest.raises(WrongCredentials):
                client.seller_info()
        assert trail() == ["credential.refused"]

    def test_it_closes_when_the_key_is_taken_again(self, market: Account, shop: Shop) -> None:
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        key_check.check(key_of(shop))
        ozon_seller(shop).seller_info()
        assert trail() == ["credential.refused", "credential.accepted"]

    def test_an_outage_that_comes_back_within_the_hour_is_the_same(self, market: Account, shop: Shop) -> None:
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        first = key_of(shop).problem_at
        key_check.check(key_of(shop))
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        assert key_of(shop).problem_at == first

        key_check.check(key_of(shop))
        Credential.objects.update(problem_at=real_now() - timedelta(hours=2))
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        assert real_now() - key_of(shop).problem_at < timedelta(minutes=1)  # type: ignore[operator]

    def test_one_sellers_refused_key_stops_nobody_else(self, market: Account, shop: Shop) -> None:
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        other = cast.boris().seller.shops.get()
        assert ozon_seller(other) is not None


class TestRotation:
    def test_the_next_key_takes_over_and_the_former_stays_until_it_has_worked(
        self, market: Account, shop: Shop
    ) -> None:
        market.more_keys.add(NEW)
        old_client = ozon_seller(shop)

        enter(shop, NEW)

        key = key_of(shop)
        assert (key.secret, key.former_secret, key.next_secret) == (Secret(NEW), Secret(OLD), None)
        old_client.seller_info()
        assert key_of(shop).former_secret is not None, "it was the old key that worked"
        key_check.check(key)
        assert key_of(shop).former_secret is not None, "to be asked about is not to work"
        ozon_seller(shop).seller_info()
        assert key_of(shop).former_secret is None
        assert trail() == ["credential.next_entered", "credential.took_over", "credential.former_forgotten"]

    def test_a_worker_that_still_calls_with_the_old_key_does_not_blame_the_new_one(
        self, market: Account, shop: Shop
    ) -> None:
        market.more_keys.add(NEW)
        old_client = ozon_seller(shop)
        enter(shop, NEW)
        market.api_key = NEW

        with pytest.raises(WrongCredentials):
            old_client.seller_info()

        assert not key_of(shop).is_refused
        ozon_seller(shop).seller_info()

    def test_a_key_that_could_not_be_checked_waits_beside_the_living_one(self, market: Account, shop: Shop) -> None:
        market.more_keys.add(NEW)
        enter(shop, NEW, asked=False)
        assert (key_of(shop).secret, key_of(shop).next_secret) == (Secret(OLD), Secret(NEW))
        ozon_seller(shop).seller_info()

        key_check.probe(key_of(shop).pk)

        assert (key_of(shop).secret, key_of(shop).next_secret) == (Secret(NEW), None)

    def test_a_next_key_that_turns_out_wrong_is_dropped_and_told(self, market: Account, shop: Shop) -> None:
        enter(shop, "no key at all", asked=False)
        enter(shop, "wrong-key-of-101", asked=False)
        key_check.probe(key_of(shop).pk)

        key = key_of(shop)
        assert (key.secret, key.next_secret, key.is_refused) == (Secret(OLD), None, False)
        words = key_words.standing(key, MARCH).words
        assert words.startswith(
            "The new key was refused, the one before it is at work: OZON Seller /v1/roles: HTTP 404"
        )
        assert trail()[-1] == "credential.next_refused"

    def test_a_new_key_that_fails_at_its_first_work_gives_the_former_its_place_back(
        self, market: Account, shop: Shop
    ) -> None:
        market.more_keys.add(NEW)
        enter(shop, NEW)
        market.more_keys.clear()

        with pytest.raises(WrongCredentials):
            ozon_seller(shop).seller_info()

        key = key_of(shop)
        assert (key.secret, key.former_secret, key.is_refused) == (Secret(OLD), None, False)
        assert "The new key was refused, the one before it is at work" in key_words.standing(key, MARCH).words
        ozon_seller(shop).seller_info()

    def test_a_new_key_closes_the_circuit_of_the_old(self, market: Account, shop: Shop) -> None:
        keys.refuse(key_id=key_of(shop).pk, version=1, problem="no")
        market.api_key = NEW
        enter(shop, NEW)
        key = key_of(shop)
        assert (key.is_refused, key.problem, key.former_secret) == (False, "", None)


@pytest.mark.django_db(transaction=True)
def test_another_account_takes_over_only_when_no_send_is_under_way(market: Account, shop: Shop) -> None:
    """Between the last look at a command's account and the end of its call the key stays the same."""

    def change_account() -> None:
        try:
            enter(shop, "key-of-102", client_id="102")
        finally:
            connection.close()

    with session_lock("sending", shop.pk, shared=True):
        thread = Thread(target=change_account)
        thread.start()
        thread.join(0.7)
        assert thread.is_alive()
        assert key_of(shop).client_id == "101"
    thread.join(10)
    key = key_of(shop)
    assert (key.client_id, key.former_secret) == ("102", None)
