"""Loops that outlive what goes wrong in them: an outage in a line, a defect with its traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from django.db import InterfaceError, OperationalError
from telegram.error import InvalidToken, NetworkError

from bots import loops
from bots.loops import attempt, forever, until_done

OUTAGES = (NetworkError("no route"), OperationalError("the server is away\n"), InterfaceError("connection closed"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "PAUSE_AFTER_FAILURE", 0.01)


class Work:
    """Fails with each of its errors in turn, and goes well from then on."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors: Iterator[BaseException] = iter(errors)
        self.began_at: list[float] = []

    async def step(self) -> None:
        self.began_at.append(asyncio.get_running_loop().time())
        for error in self._errors:
            raise error


async def times_in(seconds: float, work: Work, *, every: float) -> int:
    """How often the work was begun in that time."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await forever(work.step, "it failed", every=every)
    return len(work.began_at)


@pytest.mark.parametrize("error", OUTAGES)
async def test_an_outage_is_told_in_a_line(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    assert not await attempt(Work(error).step, "nobody was told")

    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)
    assert record.getMessage() == f"nobody was told: {str(error).strip()}"


async def test_a_defect_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert not await attempt(Work(ZeroDivisionError("a defect")).step, "nobody was told")

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "nobody was told")
    assert "ZeroDivisionError: a defect" in caplog.text


async def test_a_refused_token_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert not await attempt(Work(InvalidToken()).step, "nobody was told")
    assert "Telegram refuses TELEGRAM_BOT_TOKEN" in caplog.text


async def test_what_goes_well_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    assert await attempt(Work().step, "nobody was told")
    assert caplog.records == []


async def test_a_cancellation_is_no_failure() -> None:
    with pytest.raises(asyncio.CancelledError):
        await attempt(Work(asyncio.CancelledError()).step, "nobody was told")


async def test_a_loop_goes_on_after_every_failure(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(*OUTAGES, ZeroDivisionError("a defect"))
    assert await times_in(0.5, work, every=0.01) > len(OUTAGES) + 2
    assert [entry.levelno for entry in caplog.records] == [logging.WARNING] * 3 + [logging.ERROR]


async def test_a_failure_is_never_tried_again_at_once_nor_sooner_than_the_next_turn() -> None:
    busy, rare = Work(NetworkError("no route")), Work(NetworkError("no route"))
    await times_in(0.3, busy, every=0.005)
    assert busy.began_at[1] - busy.began_at[0] >= 0.01
    assert await times_in(0.1, rare, every=60) == 1


async def test_what_must_be_done_once_is_tried_with_growing_pauses_until_it_is() -> None:
    work = Work(*[NetworkError("no route")] * 3)
    await until_done(work.step, "it failed")

    pauses = [later - sooner for sooner, later in zip(work.began_at, work.began_at[1:], strict=False)]
    assert len(pauses) == 3
    # A busy machine may make any pause longer, never shorter.
    assert all(pause >= least for pause, least in zip(pauses, (0.01, 0.02, 0.04), strict=True))
