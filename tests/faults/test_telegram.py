"""The bot under faults: nothing that was pressed or told is lost, done twice, or silent."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import Settings

from apps.common.db import take_lock
from apps.decisions.approval import approve, show
from apps.decisions.models import Command, Proposal
from apps.jobs import watchdog
from apps.jobs.models import Pulse
from apps.jobs.schedule import seed
from apps.marketplaces.standins.telegram.person import Person
from apps.notifications.models import OutboxMessage
from apps.notifications.outbox import tell
from apps.shops.models import AuditEntry, Member
from apps.shops.roles import Role
from bots import process
from bots.leader import LEADERSHIP
from bots.models import TelegramUpdate
from bots.process import WEBHOOK_PATH
from config.servers import Postgres
from tests.bots.conftest import cards, market, messenger, owner, quick, surroundings
from tests.bots.telegram import Messenger, polling_bot
from tests.cast import anna as anna_with_a_shop
from tests.cast import member
from tests.decisions.markets import NOON, offer
from tests.faults.harness import Fleet, Line, Process, crash, eventually, never, waiting_for_a_lock

__all__ = ["cards", "market", "messenger", "owner", "quick", "surroundings"]

pytestmark = [pytest.mark.fault, pytest.mark.usefixtures("market", "cards")]

State = OutboxMessage.State
AGAIN = "Sent again: the first time may not have arrived."


SECRET = secrets.token_urlsafe(32)
LONG_SECONDS = 30
DEAD_CLOCK = "4"
"""Seconds without a tick."""


@dataclass
class Bots:
    """Bots as processes. What one leaves behind is taken up by `polling_bot`, which starts faster."""

    fleet: Fleet
    messenger: Messenger
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **env: str) -> Process:
        """One behind its webhook, of which it tells Telegram if it leads."""
        arguments = ["tests.faults.bot_app:app", "--port", str(self.port), "--no-access-log"]
        process = self.fleet.start("bot", "uvicorn", *arguments, **self._env() | env)
        process.wait_line("Application startup complete")
        return process

    def start_polling(self) -> Process:
        return self.fleet.start("poll", "python", "-m", "bots", "--poll", **self._env())

    def _env(self) -> dict[str, str]:
        return {
            "PROCESS_ROLE": "bot",
            "TELEGRAM_API_URL": self.messenger.url,
            "WORLD_URL": self.messenger.url,
            "TELEGRAM_WEBHOOK_URL": self.url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "OUTBOX_POLL_SECONDS": "0.1",
            "OUTBOX_REPEAT_SECONDS": "1",
            "TICK_ALERT_SECONDS": "600",  # no clock ticks in most of these tests, and none is missed
        }


@pytest.fixture
def bots(fleet: Fleet, surroundings: None, messenger: Messenger) -> Bots:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return Bots(fleet, messenger, free.getsockname()[1])


@pytest.fixture
def anna(messenger: Messenger, owner: Member) -> Person:
    return messenger.joins(owner)


@pytest.fixture
def proposal(owner: Member) -> Proposal:
    made = offer(owner.seller.shops.get())
    show(made)
    return made


@contextmanager
def leading_elsewhere() -> Iterator[None]:
    """Another process leads and does nothing: this one may only take updates in."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [LEADERSHIP])
        yield
        cursor.execute("select pg_advisory_unlock(%s)", [LEADERSHIP])


def test_a_bot_killed_after_its_200_loses_no_press(bots: Bots, anna: Person, proposal: Proposal) -> None:
    with polling_bot():
        card = anna.sees("pending")
    bots.messenger.sets_webhook(bots.url + WEBHOOK_PATH, SECRET)
    with leading_elsewhere():
        bot = bots.start()
        anna.presses(card, "Apply")
        eventually(lambda: all(not update["waiting"] for update in bots.messenger.updates()), "Telegram has its 200")
        assert TelegramUpdate.objects.get().handled_at is None
        bot.kill()
    assert not Command.objects.exists()

    with polling_bot():
        assert anna.sees("approved")["id"] == card["id"]
    assert Command.objects.get().proposal == proposal
    assert TelegramUpdate.objects.filter(handled_at=None).count() == 0


@pytest.mark.slow
def test_a_bot_killed_in_the_middle_of_a_press_does_it_once_when_it_is_back(
    bots: Bots, anna: Person, proposal: Proposal
) -> None:
    bot = bots.start()
    card = anna.sees("pending")
    with transaction.atomic():
        take_lock("decisions", proposal.shop_id)
        anna.presses(card, "Apply")
        eventually(waiting_for_a_lock, "the press is under way")
        bot.kill()
    assert not Command.objects.exists()

    with polling_bot():
        anna.sees("approved")
    assert Command.objects.count() == 1
    assert not AuditEntry.objects.filter(action="button.refused").exists()


@pytest.mark.slow
def test_a_lock_that_is_held_for_long_delays_a_press_and_does_not_lose_it(
    bots: Bots, anna: Person, proposal: Proposal
) -> None:
    bots.start()
    card = anna.sees("pending")
    with transaction.atomic():
        take_lock("decisions", proposal.shop_id)
        anna.presses(card, "Apply")
        eventually(waiting_for_a_lock, "the press is under way")
        never(lambda: waiting_for_a_lock() > 1, "tries pile up", during=LONG_SECONDS)

    assert anna.sees("approved")["id"] == card["id"]
    assert len(anna.messages()) == Command.objects.count() == 1


@pytest.mark.slow
def test_a_bot_killed_between_a_send_and_its_note_sends_once_more_and_says_so(
    bots: Bots, anna: Person, proposal: Proposal
) -> None:
    bots.messenger.suffers("sendMessage", "hang_after_apply", delay=30)
    bot = bots.start()
    first = anna.sees("pending")
    bot.kill()
    assert OutboxMessage.objects.get().state == State.SENDING

    with polling_bot():
        second = anna.sees(AGAIN)
        assert anna.hears(anna.presses(first, "Apply"))["text"] == "Accepted, sending."
        eventually(lambda: all("approved" in message["text"] for message in anna.messages()), "both tell the end")
    assert [message["id"] for message in anna.messages()] == [first["id"], second["id"]]
    assert Command.objects.count() == 1
    assert OutboxMessage.objects.filter(is_repeat=True).count() == 1


@pytest.mark.slow
def test_postgresql_may_restart_and_be_away_while_the_bot_lives(
    own_postgres: Postgres, bots: Bots, messenger: Messenger
) -> None:
    anna = messenger.joins(owner := anna_with_a_shop())
    bot = bots.start()
    show(first := offer(owner.seller.shops.get(), name="tea"))
    card = anna.sees(f"Proposal {first.pk}: pending")
    crash(own_postgres)
    assert anna.hears(anna.presses(card, "Apply"))["text"] == "Accepted, sending."
    anna.sees(f"Proposal {first.pk}: approved")

    show(second := offer(owner.seller.shops.get(), name="coffee"))
    card = anna.sees(f"Proposal {second.pk}: pending")
    own_postgres.kill()
    anna.presses(card, "Apply")
    time.sleep(1)
    assert any(update["waiting"] for update in messenger.updates()), "what cannot be kept is not taken"
    own_postgres.start()
    own_postgres.wait_ready()
    connection.close()
    assert anna.sees(f"Proposal {second.pk}: approved")["id"] == card["id"]

    assert bot.is_running
    assert Command.objects.count() == len(anna.messages()) == 2


@pytest.mark.slow
def test_a_second_bot_takes_over_from_one_that_was_killed(bots: Bots, anna: Person, proposal: Proposal) -> None:
    bot = bots.start()
    card = anna.sees("pending")
    with polling_bot() as spare:
        time.sleep(0.3)
        assert not spare.leader.is_leading
        bot.kill()

        assert anna.hears(anna.presses(card, "Apply"))["text"] == "Accepted, sending."
        anna.sees("approved")
    assert Command.objects.count() == 1


@pytest.fixture
def going_clock(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> dict[str, Process]:
    """Beat and the worker that carries out its ticks, one each second; a bot of this process looks as often."""
    monkeypatch.setattr(process, "ALARM_SECONDS", 0.5)
    settings.TICK_ALERT_SECONDS = int(DEAD_CLOCK)
    seed()
    PeriodicTask.objects.exclude(name="jobs.watchdog").update(enabled=False)
    IntervalSchedule.objects.update(every=1, period=IntervalSchedule.SECONDS)
    parts = {"worker": fleet.worker(TICK_ALERT_SECONDS=DEAD_CLOCK), "beat": fleet.beat()}
    eventually(Pulse.objects.filter(part=watchdog.CLOCK).exists, "the clock ticks")
    return parts


@pytest.mark.slow
@pytest.mark.parametrize("part", ["beat", "worker"])
def test_a_clock_that_died_is_told_while_it_is_dead_and_once_though_the_bot_dies_too(
    bots: Bots, anna: Person, going_clock: dict[str, Process], part: str
) -> None:
    bot = bots.start(TICK_ALERT_SECONDS=DEAD_CLOCK)
    never(anna.messages, "a clock that goes is told", during=int(DEAD_CLOCK) + 1)

    going_clock[part].kill()

    anna.sees("The clock stands since")
    with polling_bot() as spare:
        bot.kill()
        eventually(lambda: spare.leader.is_leading, "the other bot leads")
        never(lambda: anna.messages()[1:], "the outage is told again", during=3)
    assert OutboxMessage.objects.get().name == "clock_stopped"


@pytest.mark.slow
def test_a_stop_is_quick_and_clean_and_leaves_nothing_half_done(
    bots: Bots, anna: Person, owner: Member, proposal: Proposal
) -> None:
    bot = bots.start()
    anna.sees("pending")
    bots.messenger.suffers("sendMessage", "drip", delay=0.002)
    tell(name="note", key="last", seller=owner.seller, people=[owner.person], params={"text": "last words"})
    anna.sees("last words")
    bot.ask_to_stop()

    bot.wait_end(within=5)

    assert "Traceback" not in bot.log.read_text()
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.slow
def test_a_laptop_polls_without_a_web_server(bots: Bots, anna: Person) -> None:
    bot = bots.start_polling()
    anna.says("/help")
    anna.sees("/report", seconds=60)
    bot.ask_to_stop()

    assert bot.wait_end(within=5) == 0
    assert "Traceback" not in bot.log.read_text()


@pytest.mark.slow
def test_without_a_token_the_bot_refuses_to_start_in_one_sentence(fleet: Fleet) -> None:
    bot = fleet.start("mute", "uvicorn", "bots.asgi:app", TELEGRAM_BOT_TOKEN="")

    assert bot.wait_end(within=60) == 1
    assert bot.lines()[-1].startswith("TELEGRAM_BOT_TOKEN is missing")
    assert "Traceback" not in bot.log.read_text()


@pytest.fixture
def line(messenger: Messenger) -> Iterator[Line]:
    line = Line(("127.0.0.1", int(messenger.url.rpartition(":")[2])))
    line.mend()
    yield line
    line.cut()


@pytest.mark.usefixtures("surroundings")
def test_while_telegram_cannot_be_reached_proposals_wait_and_come_once(
    settings: Settings, owner: Member, anna: Person, line: Line
) -> None:
    settings.TELEGRAM_API_URL = f"http://127.0.0.1:{line.port}"
    shop = owner.seller.shops.get()
    with polling_bot():
        show(offer(shop, name="before"))
        anna.sees("pending")
        line.cut()
        waiting = [offer(shop, name=f"tea{number}") for number in range(4)]
        for proposal in waiting:
            show(proposal)
        approve(proposal_id=waiting[0].pk, payload_hash=waiting[0].payload_hash, by=owner, now=NOON)
        time.sleep(2)
        assert len(anna.messages()) == 1
        line.mend()

        for proposal in waiting:
            anna.sees(f"Proposal {proposal.pk}: ")
        eventually(lambda: not OutboxMessage.objects.exclude(state=State.SENT), "everything is sent")
    assert len(anna.messages()) == 5
    assert not OutboxMessage.objects.filter(is_repeat=True).exists()
    assert "approved" in anna.sees(f"Proposal {waiting[0].pk}: ")["text"]


def test_apply_pressed_at_once_by_two_people_is_one_command_and_the_loser_sees_who_was_first(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person
) -> None:
    olga = messenger.joins(member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002))
    with polling_bot():
        for number in range(2):
            show(proposal := offer(owner.seller.shops.get(), name=f"tea{number}"))
            title = f"Proposal {proposal.pk}: "
            cards = [(person, person.sees(f"{title}pending")) for person in (anna, olga)]
            with ThreadPoolExecutor() as pool:
                presses = list(pool.map(lambda card: (card[0], card[0].presses(card[1], "Apply")), cards * 4))
            answers = [str(person.hears(press)["text"]) for person, press in presses]

            assert answers.count("Accepted, sending.") == 1
            winner = presses[answers.index("Accepted, sending.")][0]
            loser = olga if winner is anna else anna
            name = "Anna" if winner is anna else "Olga"
            theirs = [answer for (person, _press), answer in zip(presses, answers, strict=True) if person is loser]
            assert theirs == [f"Already approved by {name}."] * 4
            assert Command.objects.filter(proposal=proposal).count() == 1
