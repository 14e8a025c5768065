"""One leader among several processes, woken by commits, back after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from django.db import connection

from apps.common.db import in_thread
from apps.notifications import outbox
from bots import inbox
from bots.leader import LEADERSHIP, Leader
from tests.bots.test_inbox import said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


@asynccontextmanager
async def running(leader: Leader) -> AsyncIterator[None]:
    task = asyncio.create_task(leader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until_leading(leader: Leader) -> None:
    async with asyncio.timeout(60):
        while not leader.is_leading:
            await asyncio.sleep(0.01)


async def is_woken(event: asyncio.Event, *, within: float = 60) -> bool:
    """Whether the event is set in time; it is clear again afterwards."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    was_set = event.is_set()
    event.clear()
    return was_set


def cut_the_leader() -> int:
    """What a restart of the server does to the connection that leads."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(pg_terminate_backend(pid)) from pg_locks join pg_stat_activity using (pid)"
            " where datname = current_database() and locktype = 'advisory' and granted"
            " and ((classid::bigint << 32) | objid::bigint) = %s",
            [LEADERSHIP],
        )
        return int(cursor.fetchone()[0])


async def test_of_two_processes_one_leads_and_the_other_takes_over_when_it_goes() -> None:
    first, second = Leader(), Leader()
    async with AsyncExitStack() as stack:
        async with running(first):
            await until_leading(first)
            await stack.enter_async_context(running(second))
            await asyncio.sleep(0.3)
            assert not second.is_leading
        await until_leading(second)
        assert not first.is_leading


async def test_a_commit_wakes_without_waiting_for_the_poll(settings: object) -> None:
    settings.OUTBOX_POLL_SECONDS = 600  # type: ignore[attr-defined]
    async with running(leader := Leader()):
        assert await is_woken(leader.inbox)
        assert not await is_woken(leader.inbox, within=0.2)

        await in_thread(inbox.store, said(1))
        assert await is_woken(leader.inbox)
        leader.outbox.clear()

        await in_thread(outbox.announce)
        assert await is_woken(leader.outbox)


async def test_without_any_commit_there_is_a_look_each_poll() -> None:
    async with running(leader := Leader()):
        assert [await is_woken(leader.outbox) for _ in range(3)] == [True, True, True]


async def test_a_lost_connection_is_a_lost_lock_and_both_come_back(caplog: pytest.LogCaptureFixture) -> None:
    async with running(leader := Leader()):
        await until_leading(leader)

        assert await in_thread(cut_the_leader) == 1

        async with asyncio.timeout(60):
            while leader.is_leading:
                await asyncio.sleep(0.005)
        await until_leading(leader)
    assert "the connection that leads was lost" in caplog.text
