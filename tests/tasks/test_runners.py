"""From a claimed run to one call of a function, and from its end, whatever it is, back into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from apps.common.clock import real_now
from apps.common.errors import Refused
from apps.jobs import ledger
from apps.jobs.models import JobRun
from apps.jobs.sync_runs import SyncIncomplete
from apps.jobs.timetable import find_job
from apps.marketplaces.errors import MissingRole, Permanent, Temporary, WrongCredentials
from apps.shops.models import Shop
from tasks import runners
from tests import cast

pytestmark = pytest.mark.django_db

State = JobRun.State
Runner = Callable[[JobRun], runners.Result]


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


@pytest.fixture
def run(shop: Shop) -> JobRun:
    job = find_job("ozon_sync")
    assert job is not None
    planned = ledger.plan(job=job, shop=shop, due=real_now())
    assert planned is not None
    return planned


@pytest.fixture
def carry_out(run: JobRun, monkeypatch: pytest.MonkeyPatch) -> Callable[[Runner], JobRun]:
    """Carry the run out with another runner in the place of the sync."""

    def with_runner(runner: Runner) -> JobRun:
        monkeypatch.setitem(runners.RUNNERS, "ozon_sync", runner)
        runners.carry_out(run.pk)
        run.refresh_from_db()
        return run

    return with_runner


def raising(error: Exception) -> Runner:
    def runner(_: JobRun) -> runners.Result:
        raise error

    return runner


def test_what_a_runner_returns_is_kept(carry_out: Callable[[Runner], JobRun]) -> None:
    run = carry_out(lambda _: {"rows": 7})
    assert (run.state, run.result, run.attempt) == (State.DONE, {"rows": 7}, 1)


def test_a_run_that_handed_itself_on_is_not_finished(carry_out: Callable[[Runner], JobRun]) -> None:
    def runner(run: JobRun) -> None:
        ledger.hand_on(run=run, progress={"done": 1})

    run = carry_out(runner)
    assert (run.state, run.progress, run.finished_at) == (State.RUNNING, {"done": 1}, None)


@pytest.mark.django_db(transaction=True)
def test_an_error_is_written_down_though_the_connection_is_gone(
    run: JobRun, carry_out: Callable[[Runner], JobRun]
) -> None:
    def runner(_: JobRun) -> runners.Result:
        with connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")
        return {}

    with pytest.raises(OperationalError):
        carry_out(runner)

    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.PLANNED, 1)
    assert "terminating connection" in run.error


def test_a_copy_of_the_message_does_nothing(carry_out: Callable[[Runner], JobRun]) -> None:
    carry_out(lambda _: {"rows": 7})
    run = carry_out(lambda _: {"rows": 8})
    assert (run.result, run.attempt) == ({"rows": 7}, 1)


@pytest.mark.parametrize(
    "error",
    [Refused("the data are not complete"), MissingRole("OZON", "/v1/roles", "the key lacks a role", 403)],
)
def test_a_refusal_is_final_and_kept_in_its_own_words(carry_out: Callable[[Runner], JobRun], error: Exception) -> None:
    run = carry_out(raising(error))
    assert (run.state, run.error) == (State.FAILED, str(error))


@pytest.mark.parametrize("is_mid_sync", [False, True])
def test_a_refused_key_puts_the_run_back_with_all_its_attempts(
    carry_out: Callable[[Runner], JobRun], is_mid_sync: bool
) -> None:
    error: Exception = WrongCredentials("OZON", "/v1/roles", "the key is wrong", 403)
    if is_mid_sync:
        incomplete = SyncIncomplete("products", str(error))
        incomplete.__cause__ = error
        error = incomplete
    run = carry_out(raising(error))
    assert (run.state, run.error, run.attempt) == (State.PLANNED, str(error), 0)


def test_an_unforeseen_error_is_tried_again_and_goes_to_the_log(
    carry_out: Callable[[Runner], JobRun], run: JobRun
) -> None:
    with pytest.raises(ZeroDivisionError):
        carry_out(raising(ZeroDivisionError("division by zero")))
    run.refresh_from_db()
    assert (run.state, run.error) == (State.PLANNED, "ZeroDivisionError: division by zero")
    assert run.due_at > real_now() + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        (Temporary("OZON", "/v3/product/list", "try later", 503), State.PLANNED),
        (Permanent("OZON", "/v3/product/list", "no such method", 404), State.FAILED),
        (None, State.PLANNED),
    ],
)
def test_an_incomplete_sync_is_tried_again_unless_it_would_end_the_same(
    carry_out: Callable[[Runner], JobRun], cause: Exception | None, state: State
) -> None:
    error = SyncIncomplete("products", "half a list")
    error.__cause__ = cause
    run = carry_out(raising(error))
    assert (run.state, run.error) == (state, "products: half a list")


def test_a_worker_that_was_taken_over_leaves_the_run_alone(
    carry_out: Callable[[Runner], JobRun], caplog: pytest.LogCaptureFixture
) -> None:
    def slow(run: JobRun) -> runners.Result:
        JobRun.objects.filter(pk=run.pk).update(lease_version=7)
        return {"rows": 7}

    run = carry_out(slow)
    assert (run.state, run.result) == (State.RUNNING, {})
    assert "taken over by another worker" in caplog.text


def test_a_job_of_a_shop_without_a_shop_is_a_defect() -> None:
    with pytest.raises(ValueError, match="carried out for a shop"):
        runners.RUNNERS["price_analysis"](JobRun(job="price_analysis", slot="2026-03-02"))
