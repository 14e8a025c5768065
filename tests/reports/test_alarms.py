"""What the watchdog finds reaches every owner, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.common.clock import real_now
from apps.jobs import watchdog
from apps.jobs.models import JobRun, Pulse
from apps.notifications.models import OutboxMessage
from apps.reports.alarms import tell_alarms
from apps.shops.models import Member
from apps.shops.roles import Role
from tests import cast

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)  # before the shop was there: it owes nothing


@pytest.fixture
def anna() -> Member:
    return cast.anna()


def failed_run(of: Member) -> JobRun:
    return JobRun.objects.create(
        job="ozon_sync",
        shop=of.seller.shops.get(),
        slot="2026-03-02",
        as_of=datetime(2026, 3, 2, 3, tzinfo=UTC),
        state=JobRun.State.FAILED,
        finished_at=real_now(),
    )


def messages() -> list[tuple[str, str]]:
    found = OutboxMessage.objects.order_by("pk").select_related("person__user")
    return [(message.name, str(message.person)) for message in found]


def test_a_failed_run_is_told_to_the_owners_of_its_shop_alone(anna: Member) -> None:
    cast.boris()
    cast.member(anna.seller, "Viktor", Role.APPROVER, telegram_id=3003)
    cast.member(anna.seller, "Olga", Role.OWNER, telegram_id=4004)
    run = failed_run(anna)

    assert tell_alarms(now=NOW) == 1

    assert messages() == [("job_failed", "Anna"), ("job_failed", "Olga")]
    assert OutboxMessage.objects.earliest("pk").params == {"run": run.pk}


def test_it_is_told_once_however_often_one_looks(anna: Member) -> None:
    failed_run(anna)
    tell_alarms(now=NOW)
    tell_alarms(now=NOW)
    assert len(messages()) == 1


def test_a_clock_that_stands_concerns_everybody_and_each_time_anew(anna: Member) -> None:
    cast.boris()
    watchdog.beat(watchdog.CLOCK)
    for ago in (10, 7):
        Pulse.objects.update(at=real_now() - timedelta(minutes=ago))
        tell_alarms(now=NOW)
        tell_alarms(now=NOW)
    assert sorted(messages()) == [("clock_stopped", "Anna")] * 2 + [("clock_stopped", "Boris")] * 2
