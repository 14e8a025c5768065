"""The bot's life: how it meets Telegram, what it finds waiting, and how it goes."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from apps.common.clock import real_now
from apps.decisions.approval import show
from apps.decisions.models import Command
from apps.jobs import watchdog
from apps.jobs.models import Pulse
from apps.marketplaces.standins.telegram.person import Person
from apps.notifications.models import OutboxMessage
from apps.shops.models import AuditEntry, Member
from apps.shops.roles import Role
from bots import inbox, process
from bots.models import TelegramUpdate
from bots.process import POLL_SECONDS, WEBHOOK_PATH, BotProcess, require_token
from tests.bots.telegram import Messenger, polling_bot, until, webhook_bot
from tests.cast import member
from tests.decisions.markets import NOON, Market, offer

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("cards")]


@pytest.fixture
def anna(messenger: Messenger, owner: Member) -> Person:
    return messenger.joins(owner)


def request_of(messenger: Messenger, method: str) -> dict[str, Any]:
    """What the bot asked with the first call of a method."""
    return dict(messenger.calls(method)[0]["request"])


def test_a_press_on_apply_approves_and_the_card_becomes_its_own_record(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    show(proposal := offer(owner.seller.shops.get()))

    card = anna.sees(f"Proposal {proposal.pk}: pending")
    answer = anna.hears(anna.presses(card, "Apply"))

    assert (answer["text"], answer["show_alert"]) == ("Accepted, sending.", False)
    record = anna.sees("approved")
    assert (record["id"], record["buttons"]) == (card["id"], [])
    assert Command.objects.get().proposal == proposal
    assert len(anna.messages()) == 1


@pytest.mark.usefixtures("surroundings")
def test_the_webhook_brings_presses_and_is_set_with_care(
    messenger: Messenger, owner: Member, anna: Person, market: Market
) -> None:
    anna.says("/help")  # while nobody is there
    show(offer(owner.seller.shops.get()))
    with webhook_bot() as url:
        assert anna.hears(anna.presses(anna.sees("pending"), "Apply"))["text"] == "Accepted, sending."
        anna.sees("/report")

        wish = request_of(messenger, "setWebhook")
        assert wish["url"] == url + WEBHOOK_PATH
        assert wish["allowed_updates"] == '["message", "callback_query"]'
        assert wish["secret_token"] == "***"  # the log's mask
        assert "drop_pending_updates" not in wish
        assert not messenger.calls("getUpdates")
    assert TelegramUpdate.objects.filter(handled_at=None).count() == 0


def test_polling_drops_nothing_that_waits_and_says_what_it_wants(
    messenger: Messenger, surroundings: None, anna: Person
) -> None:
    anna.says("/help")
    with polling_bot():
        anna.sees("/report")

    assert "drop_pending_updates" not in request_of(messenger, "deleteWebhook")
    assert request_of(messenger, "getUpdates")["allowed_updates"] == '["message", "callback_query"]'


@pytest.mark.slow
def test_a_webhook_that_was_taken_away_is_set_again_and_one_that_fails_is_told(
    messenger: Messenger,
    surroundings: None,
    anna: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(process, "WATCH_SECONDS", 0.2)
    with webhook_bot() as url:
        until(lambda: messenger.calls("getWebhookInfo"))
        messenger.sets_webhook("http://127.0.0.1:9/elsewhere", "x" * 32)
        anna.says("/help")
        anna.sees("/report")
        assert "went to 'http://127.0.0.1:9/elsewhere'" in caplog.text

        monkeypatch.setattr(inbox, "store", lambda raw: 1 / 0)
        monkeypatch.setattr(process, "WATCH_SECONDS", 2)
        anna.says("/help")
        until(lambda: "Telegram cannot deliver: Wrong response from the webhook: 500" in caplog.text)
    assert messenger.calls("setWebhook")[-1]["request"]["url"] == url + WEBHOOK_PATH


def test_an_update_that_cannot_be_kept_stops_none_of_the_others(
    messenger: Messenger, bot: BotProcess, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    anna.says("one \x00 two")
    anna.says("/help")

    anna.sees("/report")
    assert "is lost: an update that cannot be kept" in caplog.text


def test_the_same_update_three_times_and_out_of_order_has_one_effect(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    show(offer(owner.seller.shops.get()))
    anna.hears(anna.presses(anna.sees("pending"), "Apply"))
    anna.says("/help")
    anna.sees("/report")
    press, command = (update["id"] for update in messenger.updates())

    for update in (command, press, press, command):
        messenger.delivers_again(update)
    anna.says("/experiments")

    anna.waits_for(lambda message: True, after=anna.sees("/report")["id"])
    assert len(anna.messages()) == 3
    assert Command.objects.count() == 1
    assert not AuditEntry.objects.filter(action="button.refused").exists()


def test_apply_and_reject_pressed_at_once_by_two_people_are_decided_by_the_first(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    olga = messenger.joins(member(owner.seller, "Olga", Role.APPROVER, telegram_id=1002))
    show(proposal := offer(owner.seller.shops.get()))
    hers, his = anna.sees("pending"), olga.sees("pending")

    presses = [anna.presses(hers, "Apply"), olga.presses(his, "Reject")]
    answers = [anna.hears(presses[0]), olga.hears(presses[1])]

    proposal.refresh_from_db()
    expected = {
        "approved": ["Accepted, sending.", "Already approved by Anna."],
        "rejected": ["Already rejected by Olga.", "Rejected."],
    }
    assert [answer["text"] for answer in answers] == expected[proposal.state]
    assert [answer["show_alert"] for answer in answers].count(True) == 1
    assert Command.objects.count() == (proposal.state == "approved")
    for person in (anna, olga):
        assert person.sees(proposal.state)["buttons"] == []


def test_forged_foreign_and_misplaced_presses_are_refused_in_the_chat(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    mallory = messenger.stranger("Mallory", person_id=666)
    show(proposal := offer(owner.seller.shops.get()))
    card = anna.sees("pending")
    token = card["buttons"][0][0]["callback_data"]
    own = mallory.says("hello")

    presses = [
        (anna, anna.forges(card["id"], "approve:42")),
        (mallory, mallory.forges(own["id"], token)),
        (anna, messenger.presses(card, "Apply", by=666, chat=1001)),
        (mallory, messenger.presses(own | {"buttons": []}, token, by=1001, chat=666)),
    ]

    for chat, press in presses:
        assert chat.hears(press)["show_alert"]
    reasons = AuditEntry.objects.filter(action="button.refused").order_by("pk").values_list("data__reason", flat=True)
    assert sorted(reasons) == ["elsewhere", "foreign", "foreign", "unknown"]
    proposal.refresh_from_db()
    assert proposal.state == "pending"
    assert anna.hears(anna.presses(card, "Apply"))["text"] == "Accepted, sending."


@pytest.mark.usefixtures("surroundings", "market")
def test_a_message_deleted_before_its_press_is_handled_leaves_no_traceback(
    messenger: Messenger,
    owner: Member,
    anna: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    show(offer(owner.seller.shops.get()))
    with polling_bot():
        card = anna.sees("pending")
        messenger.suffers("answerCallbackQuery", "500")
        anna.deletes(card)
        anna.forges(card["id"], card["buttons"][0][0]["callback_data"])

        record = anna.sees("approved")
    assert record["id"] != card["id"]
    assert Command.objects.count() == 1
    assert not [entry for entry in caplog.records if entry.exc_info]


def test_a_press_answered_too_late_still_counts(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, market: Market
) -> None:
    messenger.sets(answer_seconds=0)
    show(offer(owner.seller.shops.get()))

    anna.presses(anna.sees("pending"), "Apply")

    anna.sees("approved")
    assert TelegramUpdate.objects.get().attempts == 1


def test_telegram_may_be_away_when_the_bot_starts(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person
) -> None:
    messenger.suffers("*", "500", times=None)
    with polling_bot():
        until(lambda: len(messenger.calls("getMe")) > 1)
        anna.says("/help")
        assert anna.messages() == []
        messenger.recovers()

        assert "/report" in anna.sees("/report")["text"]


def test_a_wrong_token_is_named(
    messenger: Messenger, surroundings: None, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    messenger.suffers("getMe", "revoked_key", times=None)
    with polling_bot():
        until(lambda: "TELEGRAM_BOT_TOKEN" in caplog.text)

    assert "Telegram refuses TELEGRAM_BOT_TOKEN" in caplog.text
    assert settings.TELEGRAM_BOT_TOKEN not in caplog.text


def test_without_a_token_the_process_refuses_to_start_with_a_sentence(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""

    with pytest.raises(SystemExit, match="TELEGRAM_BOT_TOKEN is missing"):
        require_token()


def test_of_two_bots_one_works_and_the_other_takes_over(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person
) -> None:
    with ExitStack() as stack:
        with polling_bot() as first:
            anna.says("/help")
            seen = anna.sees("/report")
            second = stack.enter_context(polling_bot())
            time.sleep(0.3)
            assert (first.leader.is_leading, second.leader.is_leading) == (True, False)
            assert 409 not in [call["status"] for call in messenger.calls("getUpdates")]
        anna.says("/help")
        anna.sees("/report", after=seen["id"])
        assert second.leader.is_leading


@pytest.mark.slow
def test_a_clock_that_stands_is_told_once_in_the_chat_by_whichever_bot_leads(
    messenger: Messenger,
    surroundings: None,
    owner: Member,
    anna: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "ALARM_SECONDS", 0.1)
    watchdog.tick(now=NOON)
    with ExitStack() as stack:
        with polling_bot() as first:
            until(lambda: first.leader.is_leading)
            second = stack.enter_context(polling_bot())
            time.sleep(0.5)
            assert anna.messages() == []

            Pulse.objects.update(at=real_now() - timedelta(minutes=4))

            anna.sees("The clock stands since")
            time.sleep(0.5)
        until(lambda: second.leader.is_leading)
        time.sleep(0.5)
        assert len(anna.messages()) == 1

        Pulse.objects.update(at=real_now() - timedelta(minutes=5))
        until(lambda: len(anna.messages()) == 2)
    assert set(OutboxMessage.objects.values_list("name", flat=True)) == {"clock_stopped"}


def test_a_stop_is_quick_and_silent(
    messenger: Messenger, surroundings: None, owner: Member, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with polling_bot():
        anna.says("/help")
        anna.sees("/report")
        began = time.monotonic()
    assert time.monotonic() - began < POLL_SECONDS
    assert caplog.records == []


def test_no_log_line_holds_the_token(
    messenger: Messenger, surroundings: None, anna: Person, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.TELEGRAM_API_URL = f"http://127.0.0.1:{port}"
    with polling_bot():
        time.sleep(0.5)
    settings.TELEGRAM_API_URL = messenger.url
    with polling_bot():
        anna.says("/help")
        anna.sees("/report")

    assert "Telegram does not answer" in caplog.text
    assert settings.TELEGRAM_BOT_TOKEN not in caplog.text
