"""The kill switch: what it stops, what it waits for, and that a send makes room for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import Settings

from apps.common.clock import real_now
from apps.common.db import session_lock, take_lock
from apps.decisions import executor, switch
from apps.decisions.kinds import Accepted
from apps.decisions.models import Command
from apps.shops.models import AuditEntry, KillSwitch, Shop
from tests.decisions.markets import NOON, Market, Setting, step, steps

pytestmark = pytest.mark.django_db

State = Command.State


@contextmanager
def elsewhere(lock: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
    """Another session holds a lock."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), lock():
            taken.set()
            done.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


def somebody_at(scope: object) -> AbstractContextManager[None]:
    """Somebody is just turning a switch on."""

    def turning() -> AbstractContextManager[None]:
        take_lock("sending", scope)
        return nullcontext()

    return elsewhere(turning)


@pytest.mark.parametrize("everywhere", [True, False])
def test_it_stops_a_command_right_before_the_call(command: Command, market: Market, everywhere: bool) -> None:
    switch.turn(on=True, shop=None if everywhere else command.shop, by=None)

    ended = step(command)

    assert (ended.state, ended.problem["code"]) == (State.CANCELLED, "stopped")
    assert not market.sends


def test_it_leaves_what_was_sent_before_to_a_person(command: Command, market: Market) -> None:
    market.on_send = lambda payload: Accepted({"updated": True})
    sent = step(command)
    switch.turn(on=True, shop=None, by=None)

    assert steps(sent).state == State.NEEDS_HUMAN
    assert len(market.sends) == 1


def test_another_shops_switch_stops_nothing(command: Command, market: Market) -> None:
    KillSwitch.objects.create(shop=Shop.objects.create(seller=command.shop.seller, name="Other"), is_on=True)

    assert steps(command).state == State.VERIFIED


def test_turned_back_it_lets_changes_pass_and_both_are_in_the_audit_trail(command: Command, market: Market) -> None:
    person = command.shop.seller.members.get().person
    switch.turn(on=True, shop=command.shop, by=person)
    switch.turn(on=False, shop=command.shop, by=person)

    assert steps(command).state == State.VERIFIED
    turns = AuditEntry.objects.filter(action__startswith="switch.").order_by("id")
    assert list(turns.values_list("action", "actor")) == [("switch.on", person.pk), ("switch.off", person.pk)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("everywhere", [True, False])
def test_a_send_makes_room_for_one_that_is_being_turned(command: Command, market: Market, everywhere: bool) -> None:
    with somebody_at("all" if everywhere else command.shop_id):
        waiting = step(command)

    assert (waiting.state, waiting.writes, waiting.lease_until) == (State.QUEUED, 0, None)
    assert waiting.due_at > real_now() + timedelta(seconds=settings.HTTP_DEADLINE_SECONDS / 2)
    with somebody_at("all"), somebody_at(command.shop_id):
        pass  # the send has left no lock behind
    assert steps(waiting).state == State.VERIFIED


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_a_call_under_way(command: Command, market: Market) -> None:
    order: list[str] = []

    def turn() -> None:
        switch.turn(on=True, shop=None, by=None)
        order.append("the switch")
        connection.close()

    turning = threading.Thread(target=turn)

    def on_send(payload: Setting) -> None:
        turning.start()
        turning.join(0.5)
        order.append("the call")

    market.on_send = on_send
    step(command)
    turning.join()

    assert order == ["the call", "the switch"]
    assert executor.run(command.pk, now=NOON) is None


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_sleeps_in_its_send_does_not_keep_it_from_being_turned(
    command: Command, market: Market, settings: Settings
) -> None:
    settings.HTTP_DEADLINE_SECONDS, settings.LEASE_MARGIN_SECONDS = 0.2, 0.3
    began = time.monotonic()
    with elsewhere(lambda: session_lock("sending", "all", shared=True)):
        switch.turn(on=True, shop=None, by=None)
        assert time.monotonic() - began >= 0.5

        assert step(command).problem["code"] == "stopped"
