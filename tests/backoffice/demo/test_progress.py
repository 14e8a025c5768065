"""How the first morning's progress is told: a line for each job, and for every further fifth of a sync."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.backoffice.demo import progress
from apps.backoffice.demo.progress import Progress, timed, took
from apps.jobs.models import JobRun


class Told:
    """What is said of the runs that are looked at."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._progress = Progress(self.lines.append)

    def look(self, job: str, **progress: object) -> list[str]:
        """The lines that this look added."""
        before = len(self.lines)
        self._progress.watch(JobRun(job=job, progress=progress))
        return self.lines[before:]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_job_is_named_once_in_words(told: Told) -> None:
    assert told.look("price_analysis") == ["  price analysis…"]
    assert told.look("price_analysis") == []


def test_the_next_job_is_named_in_its_turn(told: Told) -> None:
    told.look("ozon_sync")
    assert told.look("daily_report") == ["  daily report…"]


def test_a_stage_that_takes_no_time_counts_nothing(told: Told) -> None:
    told.look("ozon_sync")
    assert told.look("ozon_sync", stage="products", done=300, total=300) == []


def test_every_further_fifth_is_told_once(told: Told) -> None:
    told.look("ozon_sync")
    for done in range(0, 101, 10):
        told.look("ozon_sync", stage="fbo_postings", done=done, total=100)
    assert told.lines == ["  ozon sync…", "    20 %", "    40 %", "    60 %"]


@pytest.mark.parametrize(("done", "lines"), [(23, []), (24, ["    20 %"]), (53, ["    20 %"]), (54, ["    40 %"])])
def test_a_fifth_is_told_from_its_first_whole_percent_on(told: Told, done: int, lines: list[str]) -> None:
    """The long stage takes the sync from 5 to 70 percent."""
    told.look("ozon_sync")
    assert told.look("ozon_sync", stage="fbo_postings", done=done, total=100) == lines


def test_a_leap_tells_only_where_it_has_come_to(told: Told) -> None:
    told.look("ozon_sync")
    assert told.look("ozon_sync", stage="fbs_postings", done=50, total=100) == ["    80 %"]


def test_it_never_goes_back(told: Told) -> None:
    told.look("ozon_sync")
    told.look("ozon_sync", stage="fbs_postings", done=50, total=100)
    assert told.look("ozon_sync", stage="fbo_postings", done=50, total=100) == []


def test_more_than_announced_is_not_more_than_the_stage(told: Told) -> None:
    told.look("ozon_sync")
    assert told.look("ozon_sync", stage="fbo_postings", done=500, total=100) == ["    60 %"]


def test_the_last_stage_reaches_the_whole(told: Told) -> None:
    told.look("ozon_sync")
    assert told.look("ozon_sync", stage="facts", done=180, total=180) == ["    100 %"]


@pytest.mark.parametrize("progress", [{}, {"stage": None}, {"stage": "fbs_postings", "done": None, "total": None}])
def test_figures_that_are_not_known_yet_do_no_harm(told: Told, progress: dict[str, object]) -> None:
    told.look("ozon_sync")
    assert all(line == "    60 %" for line in told.look("ozon_sync", **progress))


def test_the_next_job_counts_from_nothing(told: Told) -> None:
    told.look("ozon_sync", stage="facts", done=180, total=180)
    assert told.look("second_sync", stage="fbo_postings", done=50, total=100) == ["  second sync…", "    20 %"]


def test_the_orders_of_a_crm_are_most_of_its_sync(told: Told) -> None:
    told.look("keycrm_sync")
    assert told.look("keycrm_sync", stage="orders", done=1_000, total=2_000) == ["    40 %"]


def test_how_long_each_job_took_is_told_once_for_all_shops() -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    spent = (("ozon_sync", 61), ("store_check", 1.5), ("store_check", 2))
    runs = [JobRun(job=job, started_at=start, finished_at=start + timedelta(seconds=seconds)) for job, seconds in spent]
    assert took([*runs, JobRun(job="not_begun")]) == "ozon sync 61.0 s, store check 3.5 s"


def test_a_line_tells_how_long_what_it_tells_of_took(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([100.0, 102.5, 103.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
    lines: list[str] = []
    say = timed(lines.append)
    say("DAY 1")
    say("DAY 2")
    assert lines == ["DAY 1 (2.5 s)", "DAY 2 (0.5 s)"]
