"""The clock asks about the keys: soon about what is unsettled, once a day about all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

import tasks.keys
from apps.common.clock import real_now
from apps.jobs import ledger
from apps.jobs.models import JobRun
from apps.jobs.timetable import find_job
from apps.marketplaces.standins.ozon_seller import Account
from apps.marketplaces.standins.registry import Shop as ImitatedShop
from apps.marketplaces.standins.registry import running_standins
from apps.shops.models import Credential, Shop
from tasks import runners
from tests import cast
from tests.marketplaces.wire import closed_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


@pytest.fixture
def market(settings: Settings, empty_redis: redis.Redis) -> Iterator[Account]:
    with running_standins(shops=[ImitatedShop(client_id="101", api_key="key-of-101", skus=3, history_days=2)]) as up:
        settings.OZON_API_URL = up.url
        yield up.of.accounts[0]


def daily_check(shop: Shop) -> JobRun:
    job = find_job("key_check")
    assert job is not None
    run = ledger.plan(job=job, shop=shop, due=real_now())
    assert run is not None
    runners.carry_out(run.pk)
    run.refresh_from_db()
    return run


def test_the_sweep_sends_a_question_for_each_unsettled_key(
    shop: Shop, empty_redis: redis.Redis, django_capture_on_commit_callbacks: object
) -> None:
    cast.boris()
    Credential.objects.filter(shop=shop).update(checked_at=real_now())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        tasks.keys.sweep()
    assert empty_redis.llen("vitrina:sync") == 1


def test_where_nobody_answers_the_question_is_put_again_later(
    shop: Shop, settings: Settings, empty_redis: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OZON_API_URL = closed_port()
    key = shop.credentials.get()
    tasks.keys.probe(key.pk)
    key.refresh_from_db()
    assert key.ask_at is not None
    assert key.ask_at > real_now()
    assert "nobody can tell about key" in caplog.text


def test_every_day_a_key_is_checked_that_nobody_complained_of(shop: Shop, market: Account) -> None:
    Credential.objects.update(checked_at=real_now())
    market.api_key = "another"

    run = daily_check(shop)

    assert (run.state, run.result) == (JobRun.State.DONE, {"accepted": False})
    assert shop.credentials.get().is_refused


def test_a_shop_without_a_key_is_told_so_by_its_daily_check(shop: Shop) -> None:
    shop.credentials.all().delete()
    run = daily_check(shop)
    assert (run.state, "has no key" in run.error) == (JobRun.State.FAILED, True)
