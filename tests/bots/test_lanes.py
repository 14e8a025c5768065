"""Lanes: in order within a chat, several chats at once, and nothing cut off in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import pytest

from bots import lanes
from bots.lanes import Lanes
from bots.leader import Leader


class Work:
    """Numbers to be done, per chat. `gate` holds back a chat's steps until it is opened."""

    def __init__(self) -> None:
        self.todo: dict[int, list[int]] = {}
        self.done: list[tuple[int, int]] = []
        self.running: set[int] = set()
        self.most_at_once = 0
        self.gates: dict[int, asyncio.Event] = {}
        self.failing: list[int] = []

    async def waiting(self, but: Collection[int]) -> list[int]:
        return [chat for chat, numbers in self.todo.items() if numbers and chat not in but]

    async def step(self, chat: int) -> bool:
        if not self.todo[chat]:
            return False
        assert chat not in self.running, "one piece at a time in a chat"
        self.running.add(chat)
        self.most_at_once = max(self.most_at_once, len(self.running))
        if chat in self.gates:
            await self.gates[chat].wait()
        await asyncio.sleep(0)
        self.running.discard(chat)
        if chat in self.failing:
            self.failing.remove(chat)
            raise RuntimeError("a step failed")
        self.done.append((chat, self.todo[chat].pop(0)))
        return True


@pytest.fixture
def work() -> Work:
    return Work()


@asynccontextmanager
async def moving(work: Work, *, most: int = 4, leads: bool = True) -> AsyncIterator[tuple[Lanes, Leader]]:
    leader = Leader()
    leader.is_leading = leads
    made = Lanes(leader, leader.inbox, waiting=work.waiting, step=work.step, most=most)
    running = asyncio.create_task(made.run())
    leader.inbox.set()
    try:
        yield made, leader
    finally:
        running.cancel()
        await asyncio.wait([running])
        await made.stop()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def woken(leader: Leader) -> bool:
    leader.inbox.set()
    return True


async def test_a_chat_is_served_in_order(work: Work) -> None:
    work.todo = {1: [1, 2, 3, 4]}
    async with moving(work):
        await until(lambda: len(work.done) == 4)

    assert work.done == [(1, 1), (1, 2), (1, 3), (1, 4)]


async def test_a_slow_chat_holds_up_nobody_else(work: Work) -> None:
    work.todo = {1: [1], 2: [1, 2]}
    work.gates = {1: asyncio.Event()}
    async with moving(work):
        await until(lambda: len(work.done) == 2)
        assert work.done == [(2, 1), (2, 2)]
        work.gates[1].set()
        await until(lambda: len(work.done) == 3)


async def test_only_so_many_chats_are_served_at_once_and_the_others_after_them(work: Work) -> None:
    work.todo = {chat: [1, 2] for chat in range(10)}
    async with moving(work, most=3):
        await until(lambda: len(work.done) == 20)

    assert work.most_at_once == 3


async def test_a_step_that_fails_is_tried_again_when_woken(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PAUSE_AFTER_FAILURE", 0.01)
    work.todo, work.failing = {1: [1]}, [1]
    async with moving(work) as (_lanes, leader):
        await until(lambda: not work.failing and not work.running)
        await until(lambda: woken(leader) and work.done)

    assert work.done == [(1, 1)]


async def test_nobody_but_the_leader_moves(work: Work) -> None:
    work.todo = {1: [1]}
    async with moving(work, leads=False) as (_lanes, leader):
        await asyncio.sleep(0.05)
        assert work.done == []
        leader.is_leading = True
        leader.inbox.set()
        await until(lambda: work.done)


async def test_a_lost_leadership_ends_a_lane_after_the_piece_in_hand(work: Work) -> None:
    work.todo, work.gates = {1: [1, 2]}, {1: asyncio.Event()}
    async with moving(work) as (_lanes, leader):
        await until(lambda: work.running)
        leader.is_leading = False
        work.gates[1].set()
        await until(lambda: not work.running)
        await asyncio.sleep(0.02)

    assert work.done == [(1, 1)]


async def test_a_stop_waits_for_the_piece_in_hand_and_begins_no_other(work: Work) -> None:
    work.todo, work.gates = {1: [1, 2]}, {1: asyncio.Event()}
    async with moving(work) as (made, _leader):
        await until(lambda: work.running)
        stopping = asyncio.create_task(made.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        work.gates[1].set()
        await stopping

    assert work.done == [(1, 1)]


async def test_a_stop_does_not_wait_for_ever(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LONGEST_STOP", 0.05)
    work.todo, work.gates = {1: [1]}, {1: asyncio.Event()}
    async with moving(work) as (made, _leader):
        await until(lambda: work.running)
        async with asyncio.timeout(60):
            await made.stop()
        await made.rest(60)  # and nobody rests into the stop

    assert work.done == []
