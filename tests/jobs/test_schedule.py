"""The rows that an admin edits: seeded once, never taken back from the person who changed them."""

from __future__ import annotations

import json

import pytest
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from pytest_django import Settings

from apps.jobs.schedule import entries, entry_of, next_due, row_name, seed, seed_schedule
from apps.shops.models import Shop
from tests import cast
from tests.jobs.day import BACKFILL, CLEANING, PRICES, REPORT, SYNC, move, utc

pytestmark = pytest.mark.django_db

OF_A_SHOP = (SYNC, REPORT, PRICES, BACKFILL)


def row(shop: Shop | None, job: object = SYNC) -> PeriodicTask:
    return PeriodicTask.objects.get(name=row_name(job, shop))  # type: ignore[arg-type]


def test_a_new_shop_brings_a_row_for_each_of_its_jobs(shop: Shop) -> None:
    assert {entry.job for entry in entries()} == set(OF_A_SHOP)
    sync = row(shop)
    assert (sync.task, json.loads(sync.kwargs)) == ("jobs.fire", {"job": "sync", "shop_id": shop.pk})
    assert (sync.crontab.hour, sync.crontab.minute, str(sync.crontab.timezone)) == ("6", "0", "Europe/Moscow")
    assert sync.expire_seconds == 600


def test_each_shop_has_the_hour_of_its_own_zone() -> None:
    kyiv = cast.shop(cast.boris().seller, "In Kyiv", timezone="Europe/Kyiv")
    assert str(row(kyiv).crontab.timezone) == "Europe/Kyiv"


def test_seeding_again_changes_nothing(shop: Shop) -> None:
    seed()
    before = list(PeriodicTask.objects.order_by("pk").values("pk", "name", "crontab", "interval", "date_changed"))
    seed()
    seed()
    after = list(PeriodicTask.objects.order_by("pk").values("pk", "name", "crontab", "interval", "date_changed"))
    assert after == before
    assert CrontabSchedule.objects.count() == len(OF_A_SHOP) + 1
    assert IntervalSchedule.objects.count() == 1


def test_an_admin_has_the_last_word(shop: Shop) -> None:
    move(SYNC, shop, hour="7")
    PeriodicTask.objects.filter(pk=row(shop, REPORT).pk).update(enabled=False)

    seed_schedule(shop)
    shop.save()

    assert row(shop).crontab.hour == "7"
    assert not row(shop, REPORT).enabled


def test_moving_one_shop_moves_no_other(shop: Shop) -> None:
    other = cast.shop(shop.seller, "The other")
    move(SYNC, shop, hour="7")
    assert row(other).crontab.hour == "6"


def test_the_rows_rest_while_the_shop_is_not_active(shop: Shop) -> None:
    PeriodicTask.objects.filter(pk=row(shop, REPORT).pk).update(enabled=False)

    shop.is_active = False
    shop.save()
    assert not PeriodicTask.objects.filter(task="jobs.fire", enabled=True).exists()

    shop.is_active = True
    shop.save()
    assert row(shop).enabled
    assert not row(shop, REPORT).enabled, "a person had switched it off"


def test_the_rows_follow_the_shop_to_another_zone_with_their_hours(shop: Shop) -> None:
    move(SYNC, shop, hour="7")
    shop.timezone = "Asia/Yekaterinburg"
    shop.save()

    assert (row(shop).crontab.hour, str(row(shop).crontab.timezone)) == ("7", "Asia/Yekaterinburg")
    assert CrontabSchedule.objects.count() == len(OF_A_SHOP)


def test_a_time_that_an_admin_gave_to_two_shops_is_not_moved_under_the_other(shop: Shop) -> None:
    other = cast.shop(shop.seller, "The other")
    PeriodicTask.objects.filter(pk=row(other).pk).update(crontab=row(shop).crontab)

    shop.timezone = "Asia/Yekaterinburg"
    shop.save()

    assert str(row(other).crontab.timezone) == "Europe/Moscow"


def test_the_rows_of_a_deleted_shop_go_with_it(shop: Shop) -> None:
    other = cast.shop(shop.seller, "The other")
    other.delete()
    assert {entry.shop for entry in entries()} == {shop}
    assert CrontabSchedule.objects.count() == len(OF_A_SHOP)


def test_a_shop_of_another_kind_has_none_of_these_jobs(shop: Shop) -> None:
    Shop.objects.create(seller=shop.seller, name="Chat", kind=Shop.Kind.KEYCRM)
    assert {entry.shop for entry in entries()} == {shop}


def test_the_release_adds_the_ticks_and_the_jobs_of_the_installation(shop: Shop) -> None:
    seed()
    tick = PeriodicTask.objects.get(name="jobs.catch_up")
    assert (tick.task, tick.interval.every, tick.interval.period) == ("jobs.catch_up", 60, "seconds")
    assert (tick.queue, tick.expire_seconds) == ("fast", 60)
    assert str(row(None, CLEANING).crontab.timezone) == "Europe/Moscow"
    assert [entry.job for entry in entries()] == [SYNC, REPORT, PRICES, BACKFILL, CLEANING]


def test_the_release_drops_rows_of_jobs_it_no_longer_knows(shop: Shop, settings: Settings) -> None:
    settings.TIMETABLE = "config.timetable"
    seed()
    assert not PeriodicTask.objects.filter(name__startswith="backfill").exists()
    assert PeriodicTask.objects.filter(name=f"price_analysis #{shop.pk}").exists()


def test_a_row_is_no_entry_when_it_is_off_or_its_shop_or_job_is_gone(shop: Shop) -> None:
    assert entry_of("sync", shop.pk) is not None
    assert entry_of("unknown", shop.pk) is None
    assert entry_of("sync", shop.pk + 1) is None
    assert entry_of("sync", None) is None
    PeriodicTask.objects.filter(pk=row(shop).pk).update(enabled=False)
    assert entry_of("sync", shop.pk) is None
    Shop.objects.filter(pk=shop.pk).update(is_active=False)
    assert entry_of("report", shop.pk) is None


def test_a_time_that_makes_no_sense_stops_no_other_row(shop: Shop) -> None:
    CrontabSchedule.objects.filter(pk=row(shop).crontab_id).update(day_of_month="30", month_of_year="2")
    assert [entry.job for entry in entries() if entry.cron is None] == [SYNC]
    assert next_due("sync", shop, utc("2026-03-02 12:00")) is None


def test_the_next_run_is_told_by_the_row_as_it_was_edited(shop: Shop) -> None:
    noon = utc("2026-03-02 12:00")
    assert next_due("sync", shop, noon) == utc("2026-03-03 03:00")
    move(SYNC, shop, hour="18")
    assert next_due("sync", shop, noon) == utc("2026-03-02 15:00")
    PeriodicTask.objects.filter(pk=row(shop).pk).update(enabled=False)
    assert next_due("sync", shop, noon) is None
