"""The imitated Bot API, asked by python-telegram-bot itself."""

import asyncio
import json
import struct
import time

import httpx
import pytest
import requests
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter

from apps.marketplaces.standins.telegram import flood
from apps.marketplaces.standins.telegram.person import Person, Silence
from tests.marketplaces.standins.conftest import TOKEN, buttons

pytestmark = pytest.mark.flow

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 640, 320, 8, 2, 0, 0, 0)


def script(url: str, **fault: object) -> None:
    requests.post(f"{url}/_faults", json=fault, timeout=60).raise_for_status()


# Tokens


async def test_it_knows_itself(bot: telegram.Bot) -> None:
    assert (bot.bot.id, bot.bot.is_bot) == (100000001, True)


async def test_a_revoked_token_is_refused_until_the_script_ends(telegram_url: str, bot: telegram.Bot) -> None:
    script(telegram_url, route="telegram:getMe", kind="revoked_key")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    assert (await bot.get_me()).id == 100000001


async def test_an_unknown_method_is_not_found(bot: telegram.Bot) -> None:
    with pytest.raises(telegram.error.EndPointNotFound):
        await bot.do_api_request("sendTelepathy")


# Messages


async def test_a_card_arrives_with_its_words_and_buttons(bot: telegram.Bot, anna: Person) -> None:
    sent = await bot.send_message(
        anna.id, "<b>Чайник</b> 1 490 ₽ → 1 590 ₽\n", parse_mode="HTML", reply_markup=buttons("Apply", "Reject")
    )
    assert sent.text == "Чайник 1 490 ₽ → 1 590 ₽"
    assert sent.parse_entities() == {sent.entities[0]: "Чайник"}
    (card,) = anna.messages()
    assert card["text"] == sent.text
    assert [button["text"] for button in card["buttons"][0]] == ["Apply", "Reject"]


async def test_an_edit_keeps_what_was_said_before(bot: telegram.Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.id, "1 490 → 1 590", reply_markup=buttons("Apply"))
    edited = await bot.edit_message_text("applied", anna.id, sent.message_id)
    assert isinstance(edited, telegram.Message)
    assert edited.edit_date is not None
    (card,) = anna.messages()
    assert (card["text"], card["buttons"]) == ("applied", [])
    assert [(was["text"], was["buttons"][0][0]["text"]) for was in card["history"]] == [("1 490 → 1 590", "Apply")]


async def test_an_edit_to_the_same_is_refused(bot: telegram.Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.id, "<i>same</i>", parse_mode="HTML", reply_markup=buttons("Apply"))
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text(
            "<em>same</em>", anna.id, sent.message_id, parse_mode="HTML", reply_markup=buttons("Apply")
        )
    await bot.edit_message_reply_markup(anna.id, sent.message_id, reply_markup=buttons("Later"))
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(anna.id, sent.message_id, reply_markup=buttons("Later"))


async def test_a_message_that_is_gone_is_not_edited_or_deleted(bot: telegram.Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.id, "soon gone")
    assert await bot.delete_message(anna.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("late", anna.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(anna.id, sent.message_id)
    assert anna.messages() == []


async def test_a_persons_message_is_not_the_bots_to_edit(bot: telegram.Bot, anna: Person) -> None:
    said = anna.says("mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("yours", anna.id, said["id"])


async def test_text_has_its_limits(bot: telegram.Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.id, f"<b>{'ж' * 4096}</b>", parse_mode="HTML")
    assert sent.text == "ж" * 4096
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(anna.id, "ж" * 4097)
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.edit_message_text("ж" * 4097, anna.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(anna.id, "<b> </b>", parse_mode="HTML")


async def test_every_supported_tag_becomes_an_entity(bot: telegram.Bot, anna: Person) -> None:
    text = (
        "🙂 <b>b</b><strong>B</strong> <i>i</i><em>I</em> <u>u</u><ins>U</ins> <s>s</s><del>D</del><strike>S</strike> "
        '<tg-spoiler>t</tg-spoiler> <span class="tg-spoiler">T</span> <code>c</code> <pre>p</pre> '
        '<pre><code class="language-python">x</code></pre> <a href="https://ozon.ru/?a=1&amp;b=2">link</a> '
        "<blockquote>q</blockquote> <blockquote expandable>Q</blockquote> &lt;&amp;&gt;&quot;&#1078;&nbsp; /report"
    )
    sent = await bot.send_message(anna.id, text, parse_mode="HTML")
    found = [(entity.type, sent.parse_entity(entity)) for entity in sent.entities]
    assert found == [
        ("bold", "b"), ("bold", "B"), ("italic", "i"), ("italic", "I"), ("underline", "u"), ("underline", "U"),
        ("strikethrough", "s"), ("strikethrough", "D"), ("strikethrough", "S"), ("spoiler", "t"), ("spoiler", "T"),
        ("code", "c"), ("pre", "p"), ("pre", "x"), ("text_link", "link"), ("blockquote", "q"),
        ("expandable_blockquote", "Q"), ("bot_command", "/report"),
    ]  # fmt: skip
    assert [entity.language for entity in sent.entities if entity.type == "pre"] == [None, "python"]
    assert [entity.url for entity in sent.entities if entity.url] == ["https://ozon.ru/?a=1&b=2"]
    assert sent.text is not None
    assert sent.text.endswith('<&>"ж&nbsp; /report')


async def test_other_parse_modes_are_refused_aloud(bot: telegram.Bot, anna: Person) -> None:
    with pytest.raises(BadRequest, match=r"(?i)unsupported parse_mode"):
        await bot.send_message(anna.id, "*bold*", parse_mode="MarkdownV2")


async def test_callback_data_may_have_64_bytes(bot: telegram.Bot, anna: Person) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="ж" * 32)]])
    assert (await bot.send_message(anna.id, "?", reply_markup=markup)).reply_markup == markup


async def test_other_keyboards_are_refused_aloud(bot: telegram.Bot, anna: Person) -> None:
    with pytest.raises(BadRequest, match=r"(?i)inline_keyboard only"):
        await bot.send_message(anna.id, "?", reply_markup=telegram.ReplyKeyboardMarkup([["a"]]))
    with pytest.raises(BadRequest, match="Reply_markup_too_long"):
        await bot.send_message(anna.id, "?", reply_markup=buttons(*map(str, range(101))))


async def test_photos_and_documents_arrive(bot: telegram.Bot, anna: Person) -> None:
    photo = await bot.send_photo(anna.id, PNG, caption="<b>Week</b>", parse_mode="HTML", reply_markup=buttons("More"))
    assert (photo.photo[-1].width, photo.photo[-1].height, photo.caption) == (640, 320, "Week")
    document = await bot.send_document(anna.id, b"a;b\n1;2\n", filename="отчёт.csv")
    assert document.document is not None
    assert document.document.file_name == "отчёт.csv"
    file = await bot.get_file(document.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"a;b\n1;2\n"
    shown = requests.get(f"{anna.url}/_telegram/files/{document.document.file_id}", timeout=60)
    assert shown.headers["Content-Disposition"].startswith("attachment")
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(anna.id, b"not a picture")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(anna.id, PNG, caption="ж" * 1025)
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier"):
        await bot.send_photo(anna.id, "https://example.com/a.png")


async def test_a_jpeg_has_its_size_read(bot: telegram.Bot, anna: Person) -> None:
    header = (
        b"\xff\xd8" + b"\xff\xe0\x00\x04ab" + struct.pack(">BBHBHHB", 0xFF, 0xC0, 11, 8, 300, 400, 1) + b"\x01\x11\x00"
    )
    photo = await bot.send_photo(anna.id, header)
    assert (photo.photo[-1].width, photo.photo[-1].height) == (400, 300)
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("words", anna.id, photo.message_id)
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(anna.id, header[:8])
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_document(anna.id, telegram.InputFile(b"", filename="empty.txt"))


async def test_a_bot_may_not_write_to_strangers(telegram_url: str, bot: telegram.Bot, anna: Person) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(42, "hello?")
    requests.post(
        f"{telegram_url}/_telegram/people", json={"first_name": "Boris", "id": 55, "started": False}, timeout=5
    ).raise_for_status()
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(55, "hello?")
    Person(telegram_url, 55).says("/start")
    assert await bot.send_message(55, "hello")


async def test_a_person_who_blocked_the_bot_is_out_of_reach(bot: telegram.Bot, anna: Person) -> None:
    anna.blocks()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(anna.id, "hello?")
    (update,) = await bot.get_updates()
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Silence, match="has blocked the bot"):
        anna.says("hello")
    requests.post(f"{anna.url}/_telegram/people/{anna.id}/unblock", timeout=60)
    assert await bot.send_message(anna.id, "hello again")


async def test_small_methods_are_accepted(bot: telegram.Bot, anna: Person) -> None:
    assert await bot.send_chat_action(anna.id, "typing")
    with pytest.raises(BadRequest, match="Wrong parameter action"):
        await bot.send_chat_action(anna.id, "dancing")
    chat = await bot.get_chat(anna.id)
    assert (chat.id, chat.type, chat.first_name) == (anna.id, "private", "Anna")


async def test_a_person_sees_the_commands_of_her_language(bot: telegram.Bot, anna: Person) -> None:
    await bot.set_my_commands([("report", "Yesterday"), ("help", "Help")])
    await bot.set_my_commands([("report", "За вчера")], language_code="ru")
    assert [c.description for c in await bot.get_my_commands()] == ["Yesterday", "Help"]
    chat = requests.get(f"{anna.url}/_telegram/chats/{anna.id}", timeout=60).json()
    assert chat["commands"] == [{"command": "report", "description": "За вчера"}]
    await bot.delete_my_commands(language_code="ru")
    assert await bot.get_my_commands(language_code="ru") == ()
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([("Report!", "x")])
    with pytest.raises(BadRequest, match="Bot_command_description_invalid"):
        await bot.set_my_commands([("report", " ")])
    await bot.set_chat_menu_button(menu_button=telegram.MenuButtonCommands())
    assert (await bot.get_chat_menu_button()).type == "commands"


# Presses


async def test_a_press_is_answered_and_heard(bot: telegram.Bot, anna: Person) -> None:
    await bot.send_message(anna.id, "1 490 → 1 590", reply_markup=buttons("Apply", "Reject"))
    press = anna.presses(anna.sees("1 590"), "Reject")
    (update,) = await bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.data, query.from_user.id, query.from_user.language_code) == ("do:Reject", anna.id, "ru")
    assert isinstance(query.message, telegram.Message)
    assert await query.answer("Rejected", show_alert=True)
    assert anna.hears(press)["text"] == "Rejected"
    with pytest.raises(BadRequest, match="Message_too_long"):
        await query.answer("ж" * 201)


async def test_an_old_press_can_no_longer_be_answered(telegram_url: str, bot: telegram.Bot, anna: Person) -> None:
    requests.post(f"{telegram_url}/_telegram/settings", json={"answer_seconds": 0}, timeout=60).raise_for_status()
    await bot.send_message(anna.id, "?", reply_markup=buttons("Apply"))
    press = anna.presses(anna.sees("?"), "Apply")
    for query_id in (press["id"], "never-was"):
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
            await bot.answer_callback_query(query_id)
    with pytest.raises(Silence, match="not answered"):
        anna.hears(press, seconds=0.1)


async def test_forged_and_foreign_presses_reach_the_bot_as_what_they_are(
    telegram_url: str, bot: telegram.Bot, anna: Person
) -> None:
    boris = Person.joins(telegram_url, first_name="Boris")
    sent = await bot.send_message(anna.id, "?", reply_markup=buttons("Apply"))
    with pytest.raises(Silence, match="forged"):
        anna._post("presses", {"message_id": sent.message_id, "data": "do:Steal"})
    anna.forges(sent.message_id, "do:Steal")
    anna._post("presses", {"message_id": sent.message_id, "data": "do:Apply", "by": boris.id})
    first, second = (update.callback_query for update in await bot.get_updates())
    assert first is not None
    assert second is not None
    assert (first.data, first.from_user.id) == ("do:Steal", anna.id)
    assert (second.data, second.from_user.id) == ("do:Apply", boris.id)


async def test_a_press_on_a_deleted_message_brings_no_message(bot: telegram.Bot, anna: Person) -> None:
    await bot.send_message(anna.id, "?", reply_markup=buttons("Apply"))
    card = anna.sees("?")
    anna.deletes(card)
    anna.presses(card, "Apply")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.message is not None
    assert not update.callback_query.message.is_accessible


# Flood


async def test_flood_limits_hold_when_they_are_switched_on(
    telegram_url: str, bot: telegram.Bot, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(flood, "monotonic", lambda: now)
    for number in range(5):
        await bot.send_message(anna.id, f"free {number}")
    requests.post(f"{telegram_url}/_telegram/settings", json={"flood": True}, timeout=60).raise_for_status()
    both = (bot.send_message(anna.id, text) for text in ("one", "another"))
    sent, refused = sorted(
        await asyncio.gather(*both, return_exceptions=True), key=lambda one: isinstance(one, RetryAfter)
    )
    assert isinstance(sent, telegram.Message)
    assert isinstance(refused, RetryAfter)
    assert refused._retry_after.total_seconds() == 1
    crowd = [Person.joins(telegram_url, first_name=f"P{number}") for number in range(30)]
    now += 1
    answers = await asyncio.gather(*(bot.send_message(one.id, "hi") for one in crowd), return_exceptions=True)
    assert sum(isinstance(answer, telegram.Message) for answer in answers) == 30
    with pytest.raises(RetryAfter):
        await bot.send_message(anna.id, "31st within the second")


# Faults of the wire


async def test_scripted_faults_speak_as_the_bot_api_does(telegram_url: str, bot: telegram.Bot, anna: Person) -> None:
    script(telegram_url, route="telegram:sendMessage", kind="429", retry_after=3)
    script(telegram_url, route="telegram:sendMessage", kind="500")
    script(telegram_url, route="telegram:sendMessage", kind="502_after_apply")
    script(telegram_url, route="telegram:sendMessage", kind="truncated_json")
    with pytest.raises(RetryAfter, match=r"3 seconds|0:00:03"):
        await bot.send_message(anna.id, "one")
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(anna.id, "two")
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(anna.id, "three")
    with pytest.raises(telegram.error.TelegramError):
        await bot.send_message(anna.id, "four")
    assert [message["text"] for message in anna.messages()] == ["three", "four"]
    calls = requests.get(f"{telegram_url}/_calls", params={"route": "telegram:sendMessage"}, timeout=60).json()
    assert [call["status"] for call in calls] == [429, 500, 502, 200]
    assert calls[0]["request"] == {"chat_id": str(anna.id), "text": "one"}
    assert TOKEN not in json.dumps(calls)


# Control routes


async def test_everything_that_happens_is_told_live(telegram_url: str, bot: telegram.Bot, anna: Person) -> None:
    heard: list[dict[str, object]] = []
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{telegram_url}/_telegram/events") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        await bot.send_chat_action(anna.id, "typing")
        await bot.send_message(anna.id, "Card", reply_markup=buttons("Apply"))
        press = anna.presses(anna.messages()[0], "Apply")
        await bot.answer_callback_query(press["id"], "done")
        requests.post(f"{telegram_url}/_telegram/notice", json={"text": "sync", "kind": "progress"}, timeout=60)
        await bot.set_my_commands([("help", "Help")])
        async for line in lines:
            heard += [json.loads(line.removeprefix("data: "))] if line else []
            if heard and heard[-1]["type"] == "commands":
                break
    assert [event["type"] for event in heard] == ["typing", "message", "answer", "notice", "commands"]
