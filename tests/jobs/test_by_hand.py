"""What a person starts: now, once more, or for days that have passed; one at a time, and with their name on it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from apps.common.errors import Denied, NotFound, Refused
from apps.common.periods import Period
from apps.jobs import by_hand, ledger
from apps.jobs.by_hand import Errand, WrongDay
from apps.jobs.models import JobRun
from apps.jobs.timetable import Job
from apps.shops.models import AuditEntry, Member, Shop
from apps.shops.roles import Role
from tests import cast
from tests.jobs.day import PRICES, REPORT, SYNC, utc
from tests.threads import at_once

pytestmark = pytest.mark.django_db

State = JobRun.State
SIX = utc("2026-03-02 03:00")  # in Moscow
NOON = utc("2026-03-02 09:00")
TODAY = date(2026, 3, 2)
YESTERDAY = TODAY - timedelta(days=1)
LONG_AGO = date(2026, 2, 1)


@pytest.fixture
def owner(shop: Shop) -> Member:
    return Member.objects.get(seller=shop.seller)


def errand(shop: Shop, job: str = "sync", first: date | None = None, last: date | None = None) -> Errand:
    return Errand.of(job=job, shop=shop, as_of=NOON, first=first, last=last)


def ended(shop: Shop, job: Job, state: State, *, days_ago: int = 0, **columns: object) -> JobRun:
    due = SIX - timedelta(days=days_ago)
    slot = f"{due:%Y-%m-%d}"
    return JobRun.objects.create(job=job.name, shop=shop, slot=slot, as_of=due, state=state, **columns)


# Now


def test_it_stands_beside_the_day_says_who_asked_and_is_audited(shop: Shop, owner: Member) -> None:
    ended(shop, SYNC, State.DONE)

    run = by_hand.start(errand(shop), by=owner)

    assert run.slot.startswith("manual:")
    assert (run.state, run.as_of, run.days, run.started_by) == (State.PLANNED, NOON, None, owner.person)
    entry = AuditEntry.objects.get(action="job.run_now")
    assert (entry.actor, entry.shop, entry.data["job"]) == (owner.person, shop, "sync")


def test_the_command_line_is_nobody_in_particular(shop: Shop) -> None:
    run = by_hand.start(errand(shop), by=None)
    assert run.started_by is None
    assert AuditEntry.objects.get(action="job.run_now").actor is None


def test_a_second_press_is_told_that_it_is_at_work(shop: Shop, owner: Member) -> None:
    by_hand.start(errand(shop), by=owner)
    with pytest.raises(Refused, match="at work for this shop already"):
        by_hand.start(errand(shop), by=owner)
    assert JobRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_starts_it(shop: Shop, owner: Member) -> None:
    answers = at_once(*[lambda: by_hand.start(errand(shop), by=owner)] * 6)
    assert sum(isinstance(answer, JobRun) for answer in answers) == 1
    assert JobRun.objects.count() == 1


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_a_role_that_may_not_run_jobs_is_told_so(shop: Shop, role: Role) -> None:
    with pytest.raises(Denied, match="Your role is"):
        by_hand.start(errand(shop), by=cast.member(shop.seller, "Viktor", role))
    assert not JobRun.objects.exists()


def test_boris_cannot_run_annas_jobs(shop: Shop) -> None:
    with pytest.raises(NotFound):
        by_hand.start(errand(shop), by=cast.boris())


def test_a_job_that_does_not_exist_cannot_be_run(shop: Shop) -> None:
    with pytest.raises(NotFound):
        errand(shop, "unknown")


def test_prices_by_hand_are_refused_without_the_days_data(shop: Shop, owner: Member) -> None:
    with pytest.raises(Refused, match=r"“sync” of Mar 2, 2026 has not been completed"):
        by_hand.start(errand(shop, "prices"), by=owner)
    assert not JobRun.objects.exists()
    assert not AuditEntry.objects.filter(action="job.run_now").exists()


def test_reading_old_days_again_brings_no_data_of_today(shop: Shop, owner: Member) -> None:
    run = by_hand.start(errand(shop, "sync", YESTERDAY), by=owner)
    JobRun.objects.filter(pk=run.pk).update(state=State.DONE)
    with pytest.raises(Refused, match="has not been completed"):
        by_hand.start(errand(shop, "prices"), by=owner)


# For days that have passed


def test_a_day_and_a_range_are_one_run_as_of_now(shop: Shop, owner: Member) -> None:
    run = by_hand.start(errand(shop, "sync", LONG_AGO, YESTERDAY), by=owner)
    stored = JobRun.objects.get(pk=run.pk)
    assert (stored.days, stored.as_of) == (Period(LONG_AGO, YESTERDAY), NOON)
    data = AuditEntry.objects.get(action="job.run_now").data
    assert (data["first_on"], data["last_on"]) == ("2026-02-01", "2026-03-01")
    assert errand(shop, "report", YESTERDAY).days == Period(YESTERDAY, YESTERDAY)


@pytest.mark.parametrize(
    ("first", "last", "end"),
    [
        (TODAY, TODAY, "first"),  # it has not ended
        (YESTERDAY, TODAY, "last"),
        (TODAY - timedelta(days=61), YESTERDAY, "first"),  # one more than the sync reaches
        (YESTERDAY, LONG_AGO, "last"),  # the wrong way round
        (None, YESTERDAY, "first"),
    ],
)
def test_a_day_that_is_not_accepted_is_named_with_those_that_are(
    shop: Shop, first: date | None, last: date, end: str
) -> None:
    with pytest.raises(WrongDay, match=r"Accepted: from .* to Mar 1, 2026\.") as raised:
        errand(shop, "sync", first, last)
    assert raised.value.end == end


def test_as_many_days_as_the_job_reaches_are_accepted(shop: Shop) -> None:
    days = by_hand.acceptable(SYNC, today=TODAY)
    assert days is not None
    assert days.days == SYNC.reach
    assert errand(shop, "sync", days.first, days.last).days == days


def test_a_job_that_decides_is_never_run_for_a_day_that_has_passed(shop: Shop) -> None:
    assert by_hand.acceptable(PRICES, today=TODAY) is None
    with pytest.raises(Refused, match="“prices” decides on money or stock by how things stand now"):
        errand(shop, "prices", YESTERDAY)


def test_an_end_without_a_beginning_cannot_be_stored(shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="days_have_both_ends"):
        ended(shop, SYNC, State.DONE, last_on=TODAY)


# Once more


def test_a_failed_run_of_today_is_run_now(shop: Shop) -> None:
    assert Errand.again(ended(shop, PRICES, State.FAILED), now=NOON) == Errand(PRICES, shop, NOON)


def test_a_failed_sync_of_yesterday_is_run_now_for_it_makes_up_for_all(shop: Shop) -> None:
    assert Errand.again(ended(shop, SYNC, State.FAILED, days_ago=1), now=NOON) == Errand(SYNC, shop, NOON)


def test_a_report_that_was_skipped_is_made_for_its_own_day(shop: Shop) -> None:
    skipped = ended(shop, REPORT, State.SKIPPED, days_ago=1)
    assert Errand.again(skipped, now=NOON) == Errand(REPORT, shop, SIX - timedelta(days=1))


def test_days_that_failed_are_run_for_again(shop: Shop) -> None:
    failed = ended(shop, SYNC, State.FAILED, first_on=LONG_AGO, last_on=YESTERDAY)
    assert Errand.again(failed, now=NOON) == errand(shop, "sync", LONG_AGO, YESTERDAY)


def test_yesterdays_prices_are_not_decided_on_today(shop: Shop) -> None:
    with pytest.raises(Refused, match="never run for a day that has passed"):
        Errand.again(ended(shop, PRICES, State.FAILED, days_ago=1), now=NOON)


@pytest.mark.parametrize("state", [State.DONE, State.RUNNING, State.PLANNED])
def test_what_did_not_fail_is_not_run_again(shop: Shop, state: State) -> None:
    with pytest.raises(Refused, match="failed or was skipped"):
        Errand.again(ended(shop, SYNC, state), now=NOON)


def test_a_run_that_died_and_was_given_up_can_be_run_again(shop: Shop, owner: Member) -> None:
    dead = ended(shop, SYNC, State.RUNNING, attempt=ledger.MAX_ATTEMPTS, lease_until=SIX)
    assert ledger.start(run_id=dead.pk) is None
    dead.refresh_from_db()
    assert dead.state == State.FAILED
    assert by_hand.start(Errand.again(dead, now=NOON), by=owner).state == State.PLANNED
