"""Commands, linking and settings, as people meet them in the chat."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from django.db import OperationalError, connection
from django.utils import translation
from django.utils.translation import gettext

from apps.common.clock import real_now
from apps.marketplaces.standins.telegram.person import Person
from apps.reports.messages import Rendered
from apps.shops.linking import MAX_ATTEMPTS, issue_code
from apps.shops.models import AuditEntry, Language, Member
from apps.shops.models import Person as OurPerson
from apps.shops.roles import Role
from bots import handlers, inbox, lanes
from bots.models import TelegramUpdate
from bots.process import BotProcess
from config.env import BASE_DIR
from tests.bots.telegram import Messenger, until
from tests.bots.test_inbox import said
from tests.cast import boris, person

pytestmark = pytest.mark.flow

COMPILED = BASE_DIR / "locale" / "ru" / "LC_MESSAGES" / "django.mo"
STRANGER = 666
UNKNOWN = "I do not know you yet. Ask the owner for a one-time code and send it to me as: /start CODE"


@pytest.fixture
def anna(messenger: Messenger, owner: Member) -> Person:
    return messenger.joins(owner)


def answer_to(who: Person, words: str) -> dict[str, Any]:
    """The bot's next message after these words."""
    said = who.says(words)
    return who.waits_for(lambda message: True, after=said["id"])


def in_language(language: str, words: str) -> str:
    with translation.override(language):
        return gettext(words)


def test_strangers_are_told_politely_and_nothing_is_revealed(
    messenger: Messenger, bot: BotProcess, owner: Member
) -> None:
    stranger = messenger.stranger("Mallory", person_id=STRANGER)

    for words in ("/start", "/report", "/inventory", "/experiments", "/settings", "/help", "hello", "/nonsense"):
        answer = answer_to(stranger, words)
        assert (answer["text"], answer["buttons"]) == (UNKNOWN, [])
    answer = answer_to(stranger, "/start 0123456789ab")
    assert answer["text"].startswith("This code is wrong, used or expired.")
    refusal = stranger.hears(stranger.forges(answer["id"], "approve:42"))
    assert (refusal["text"], refusal["show_alert"]) == ("This button means nothing to me.", True)
    assert not re.search("Anna|Shelf", str(stranger.messages()))


@pytest.mark.slow
@pytest.mark.parametrize("language", Language.values)
def test_strangers_are_spoken_to_in_their_telegram_s_language(
    messenger: Messenger, bot: BotProcess, language: str
) -> None:
    stranger = messenger.stranger("Mallory", person_id=STRANGER, language=language)

    assert answer_to(stranger, "/start")["text"] == in_language(language, UNKNOWN)


def test_a_code_links_once(messenger: Messenger, bot: BotProcess, owner: Member) -> None:
    olga = Member.objects.create(person=person("Olga"), seller=owner.seller, role=Role.VIEWER)
    code = issue_code(person=olga.person, by=owner.person, now=real_now())
    hers = messenger.stranger("Olga", person_id=3003)
    thief = messenger.stranger("Mallory", person_id=STRANGER)

    assert "Olga" in answer_to(hers, f"/start {code}")["text"]
    assert answer_to(thief, f"/start {code}")["text"].startswith("This code is wrong, used or expired.")
    assert answer_to(hers, "/help")["text"] != UNKNOWN
    assert OurPerson.objects.get(pk=olga.person.pk).telegram_id == 3003
    assert set(AuditEntry.objects.filter(action__startswith="telegram.").values_list("action", flat=True)) == {
        "telegram.code_issued",
        "telegram.linked",
        "telegram.link_failed",
    }


def test_guessing_codes_ends_soon(messenger: Messenger, bot: BotProcess) -> None:
    stranger = messenger.stranger("Mallory", person_id=STRANGER)

    answers = [answer_to(stranger, f"/start guess{number}")["text"] for number in range(MAX_ATTEMPTS + 2)]

    assert [answer.startswith("Too many wrong codes") for answer in answers] == [False] * MAX_ATTEMPTS + [True, True]
    assert AuditEntry.objects.count() == MAX_ATTEMPTS


def test_whoever_left_is_a_stranger_again(messenger: Messenger, bot: BotProcess, owner: Member, anna: Person) -> None:
    assert answer_to(anna, "/help")["text"] != UNKNOWN

    owner.delete()

    assert answer_to(anna, "/help")["text"] == UNKNOWN


@pytest.mark.skipif(not COMPILED.exists(), reason="the catalogs are not compiled: run `make setup`")
def test_every_command_is_answered_in_the_person_s_language(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    for language in Language:
        OurPerson.objects.update(language=language)
        texts = {name: answer_to(anna, f"/{name}")["text"] for name in ("start", *handlers.COMMANDS, "nonsense")}

        assert language.label in texts.pop("settings")
        assert UNKNOWN not in texts.values()
        has_cyrillic = {name: bool(re.search("[а-яіїє]", text)) for name, text in texts.items()}
        assert set(has_cyrillic.values()) == {language != Language.ENGLISH}, (language, has_cyrillic)


def test_the_menu_of_commands_is_there_in_every_language(messenger: Messenger, bot: BotProcess) -> None:
    for number, language in enumerate(["ru", "uk", "en", "de"], start=1):
        who = messenger.stranger("Anna", person_id=number, language=language)
        menu = wait_for_menu(messenger, who)
        spoken = language if language in Language.values else "en"
        assert menu == {
            "report": in_language(spoken, "Yesterday's report"),
            "inventory": in_language(spoken, "Stock and what to reorder"),
            "experiments": in_language(spoken, "Price experiments"),
            "settings": in_language(spoken, "Language and shop"),
            "help": in_language(spoken, "What I can do"),
        }


def wait_for_menu(messenger: Messenger, who: Person) -> dict[str, str]:
    until(lambda: len(messenger.calls("setMyCommands")) >= 4)
    chat = requests.get(f"{messenger.url}/_telegram/chats/{who.id}", timeout=60).json()
    return {command["command"]: command["description"] for command in chat["commands"]}


def test_a_language_is_chosen_by_a_button_and_the_settings_show_it(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    shown = answer_to(anna, "/settings")

    for label in ("Українська", "Русский", "English"):
        press = anna.hears(anna.presses(shown, label))
        assert not press["show_alert"]
        shown = anna.sees(label)
        assert label not in str(shown["buttons"])
    assert len(anna.messages()) == 1
    assert OurPerson.objects.get(telegram_id=1001).language == "en"


def test_a_seller_is_chosen_by_a_button(messenger: Messenger, bot: BotProcess, owner: Member, anna: Person) -> None:
    other = boris().seller
    Member.objects.create(person=owner.person, seller=other, role=Role.VIEWER)

    anna.presses(answer_to(anna, "/settings"), other.name)

    anna.waits_for(lambda message: other.name in message["text"] and owner.seller.name in str(message["buttons"]))
    assert OurPerson.objects.get(telegram_id=1001).active_seller == other


def test_words_that_telegram_would_take_for_markup_are_only_words(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    owner.person.user.first_name = "<b>Anna & Co</b>"
    owner.person.user.save()

    assert "<b>Anna & Co</b>" in answer_to(anna, "/start")["text"]


def test_only_private_chats_are_answered(messenger: Messenger, bot: BotProcess, owner: Member, anna: Person) -> None:
    group = {"id": 1001, "type": "supergroup", "title": "Everybody"}
    update = said(1, text="/report")
    update["message"] |= {"chat": group, "from": {"id": 1001, "is_bot": False, "first_name": "Anna"}}

    inbox.store(update)

    until(lambda: TelegramUpdate.objects.filter(handled_at__isnull=False).exists())
    assert anna.messages() == []


def test_a_defect_is_told_with_a_number_and_stops_nobody(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(member: Member, now: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setitem(handlers.ANSWERS, "report", broken)
    monkeypatch.setattr(lanes, "PAUSE_AFTER_FAILURE", 0.01)
    monkeypatch.setattr("bots.consumer.PAUSE_AFTER_FAILURE", 0.01)

    anna.says("/report")
    anna.says("/help")

    apology = anna.sees("Something went wrong on my side.")
    row = TelegramUpdate.objects.earliest("update_id")
    assert str(row.update_id) in apology["text"]
    anna.sees("/report", after=apology["id"])
    row.refresh_from_db()
    assert (row.attempts, row.error) == (inbox.MAX_ATTEMPTS, "ZeroDivisionError: a defect")
    assert TelegramUpdate.objects.filter(handled_at=None).count() == 0


def test_an_outage_of_the_database_uses_up_none_of_an_updates_tries(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    outages = iter([OperationalError("locked")] * (inbox.MAX_ATTEMPTS + 2))

    def answer(member: Member, now: object) -> Rendered:
        if outage := next(outages, None):
            raise outage
        return Rendered("here it is")

    monkeypatch.setitem(handlers.ANSWERS, "report", answer)
    monkeypatch.setattr("bots.consumer.PAUSE_AFTER_FAILURE", 0.01)

    anna.says("/report")

    anna.sees("here it is")
    assert len(anna.messages()) == 1


def test_a_question_that_takes_the_database_too_long_is_given_up_like_a_defect(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(member: Member, now: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set statement_timeout = 10; select pg_sleep(1)")

    monkeypatch.setitem(handlers.ANSWERS, "report", too_long)
    monkeypatch.setattr("bots.consumer.PAUSE_AFTER_FAILURE", 0.01)

    anna.says("/report")

    anna.sees("Something went wrong on my side.")
    assert TelegramUpdate.objects.get().attempts == inbox.MAX_ATTEMPTS


def test_an_update_that_ends_the_process_each_time_is_given_up_and_told(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    anna.says("/help")
    anna.sees("/report")
    until(lambda: TelegramUpdate.objects.filter(handled_at__isnull=False).exists())
    TelegramUpdate.objects.update(handled_at=None, attempts=inbox.MAX_ATTEMPTS)  # what three kills leave behind

    apology = anna.sees("Something went wrong on my side.")

    row = TelegramUpdate.objects.get()
    assert str(row.update_id) in apology["text"]
    assert (row.handled_at is not None, row.error) == (True, "RuntimeError: the process ended at every try")


def test_an_answer_that_never_left_is_given_again_and_one_that_may_have_arrived_is_not(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    messenger.suffers("sendMessage", "502_after_apply")
    first = answer_to(anna, "/help")
    until(lambda: TelegramUpdate.objects.filter(handled_at__isnull=False).count() == 1)

    second = answer_to(anna, "/help")

    assert [message["id"] for message in anna.messages()] == [first["id"], second["id"]]
    assert TelegramUpdate.objects.filter(attempts=1).count() == 2


@pytest.mark.slow
def test_an_answer_that_comes_too_fast_waits_as_long_as_telegram_says(
    messenger: Messenger, bot: BotProcess, owner: Member, anna: Person
) -> None:
    messenger.suffers("sendMessage", "429", times=2, retry_after=1)

    answer_to(anna, "/help")

    until(lambda: TelegramUpdate.objects.filter(handled_at__isnull=False).exists())
    assert len(anna.messages()) == 1
