"""The chat page in a real browser: what a person of the demo sees and does."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, ViewportSize, expect

from apps.marketplaces.standins.registry import running_standins
from apps.marketplaces.standins.telegram.page import FOLDER
from apps.marketplaces.standins.telegram.person import Person, Said

TOKEN = "100000001:test-token-of-the-stand-in"
EXPECTED = "Failed to load resource"  # where a test lets a request fail
PHONE: ViewportSize = {"width": 390, "height": 844}
CARD = "<b>Teapot «Scandi»</b>\n<b>1 490 ₽ → 1 590 ₽</b>\n• 41 days of stock\n/experiments"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_standins(skus=5, bot_token=TOKEN) as standins:
        yield standins.url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that ends in failure when its console complained, about its content policy for example."""
    context = browser.new_context(viewport=PHONE, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if not text.startswith(EXPECTED)] == []


class Bot:
    """What the bot does, in plain calls."""

    def __init__(self, url: str) -> None:
        self.url = url

    def does(self, method: str, **fields: object) -> Said:
        data = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in fields.items()}
        answer = requests.post(f"{self.url}/bot{TOKEN}/{method}", data=data, timeout=60).json()
        assert answer["ok"], answer
        return dict(answer) if answer["result"] is True else dict(answer["result"])

    def sends(self, person: Person, text: str, *buttons: str) -> int:
        rows = [[{"text": label, "callback_data": f"do:{label}"} for label in buttons]] if buttons else []
        markup = {"inline_keyboard": rows}
        sent = self.does("sendMessage", chat_id=person.id, text=text, parse_mode="HTML", reply_markup=markup)
        return int(sent["message_id"])

    def answers_presses(self, person: Person, text: str, *, alert: bool = False) -> None:
        """Answer the first press of this person that is still open."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for press in requests.get(f"{self.url}/_telegram/chats/{person.id}/answers", timeout=60).json():
                if not press["answered"]:
                    self.does("answerCallbackQuery", callback_query_id=press["id"], text=text, show_alert=alert)
                    return
            time.sleep(0.02)
        raise AssertionError("nobody pressed anything")

    def announces(self, kind: str, text: str) -> None:
        requests.post(f"{self.url}/_telegram/notice", json={"kind": kind, "text": text}, timeout=60).raise_for_status()


@pytest.fixture(scope="module")
def bot(url: str) -> Bot:
    bot = Bot(url)
    bot.does(
        "setMyCommands",
        commands=[{"command": "report", "description": "Yesterday"}, {"command": "inventory", "description": "Stock"}],
    )
    return bot


@pytest.fixture
def anna(url: str) -> Person:
    return Person.joins(url, first_name="Anna")


def opened(page: Page, person: Person) -> Locator:
    """The open chat's messages."""
    page.goto(f"{person.url}/chat#{person.id}")
    expect(page.locator("#status")).to_have_text(re.compile("Anna|Анна|Олена"))
    return page.locator(".message")


def test_a_person_reads_a_card_and_presses_its_button(page: Page, bot: Bot, anna: Person) -> None:
    sent = bot.sends(anna, CARD, "Apply", "Reject")
    (card,) = opened(page, anna).all()
    expect(card.locator("strong").first).to_have_text("Teapot «Scandi»")
    card.get_by_role("button", name="Apply").click()
    expect(card.get_by_role("button", name="Apply")).to_have_attribute("aria-busy", "true")
    bot.answers_presses(anna, "Accepted")
    expect(page.locator(".toast")).to_have_text("Accepted")
    expect(card.get_by_role("button", name="Apply")).not_to_have_attribute("aria-busy", "true")
    bot.does("editMessageText", chat_id=anna.id, message_id=sent, text="Verified at 10:03")
    expect(page.locator(".message .text")).to_contain_text("Verified at 10:03")
    expect(page.locator(".meta")).to_contain_text("edited")
    expect(page.locator(".key")).to_have_count(0)


def test_nothing_a_person_or_the_bot_writes_becomes_markup(page: Page, bot: Bot, url: str) -> None:
    evil = "<img src=x onerror=window.owned=1>"
    anna = Person.joins(url, first_name=f"Anna {evil}")
    bot.does("sendMessage", chat_id=anna.id, text=f"{evil} <script>window.owned=1</script>")
    bot.sends(anna, '<a href="https://a.b/&quot;onclick=&quot;x">link</a> <tg-spoiler>hidden</tg-spoiler>', evil)
    messages = opened(page, anna)
    expect(messages.first).to_contain_text("<script>")
    expect(messages.last.locator("a")).to_have_attribute("rel", "noopener noreferrer")
    messages.last.locator(".spoiler").click()
    expect(messages.last.locator(".spoiler")).to_have_class(re.compile("open"))
    assert page.locator("#app img, #app script").count() == 0
    assert page.evaluate("window.owned") is None


def test_everything_comes_from_the_page_itself(page: Page, anna: Person) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, anna)
    assert asked
    assert [address for address in asked if not address.startswith(anna.url)] == []


def test_an_alert_waits_until_it_is_closed(page: Page, bot: Bot, anna: Person) -> None:
    bot.sends(anna, CARD, "Apply")
    opened(page, anna).get_by_role("button", name="Apply").click()
    bot.answers_presses(anna, "Only an owner may do this.", alert=True)
    expect(page.get_by_role("dialog")).to_have_text(re.compile("Only an owner may do this."))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.slow
def test_a_press_the_bot_no_longer_offers_is_told(page: Page, bot: Bot, anna: Person) -> None:
    bot.sends(anna, CARD, "Apply")
    messages = opened(page, anna)
    page.route("**/presses", lambda route: route.fulfill(status=409, json={"error": "the message offers nothing"}))
    messages.get_by_role("button", name="Apply").click()
    expect(page.locator(".toast.wrong")).to_contain_text("the message offers nothing")
    expect(messages.get_by_role("button", name="Apply")).not_to_have_attribute("aria-busy", "true")


def test_what_a_person_says_arrives_and_is_ticked_when_the_bot_has_it(page: Page, bot: Bot, anna: Person) -> None:
    messages = opened(page, anna)
    page.fill("#input", "Hello")
    page.keyboard.press("Enter")
    expect(messages).to_have_text(re.compile("Hello"))
    expect(messages.get_by_label("sent")).to_be_visible()
    last = requests.get(f"{anna.url}/_telegram/updates", timeout=60).json()[-1]["id"]
    requests.post(f"{anna.url}/bot{TOKEN}/getUpdates", data={"offset": last + 1}, timeout=60)
    expect(messages.get_by_label("received by the bot")).to_be_visible()


@pytest.mark.slow
def test_what_was_said_stands_there_once_when_its_event_is_first(page: Page, anna: Person) -> None:
    messages = opened(page, anna)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/messages", lambda route: held.append((route, route.fetch())))
    page.fill("#input", "Hello")
    page.keyboard.press("Enter")
    expect(messages.get_by_label("sent", exact=True)).to_be_visible()
    expect(messages).to_have_count(1)
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(messages).to_have_count(1)


@pytest.mark.slow
def test_a_message_that_was_not_sent_can_be_sent_again(page: Page, anna: Person) -> None:
    messages = opened(page, anna)
    page.route("**/messages", lambda route: route.fulfill(status=503, json={"error": "down"}), times=1)
    page.fill("#input", "Hello")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Not sent. Try again").click()
    expect(messages.get_by_label("sent")).to_be_visible()
    expect(messages).to_have_count(1)


def test_commands_are_chosen_by_keyboard(page: Page, anna: Person, bot: Bot) -> None:
    messages = opened(page, anna)
    page.locator("#input").press_sequentially("/")
    expect(page.get_by_role("option")).to_have_text(["/reportYesterday", "/inventoryStock"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(messages).to_have_text(re.compile("/inventory"))
    bot.sends(anna, "see /report")
    page.locator(".in .command").click()
    expect(page.locator(".out")).to_have_count(2)
    page.locator("#menu").click()
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)


@pytest.mark.slow
def test_reading_goes_on_where_it_stopped(page: Page, bot: Bot, anna: Person) -> None:
    for number in range(12):
        bot.sends(anna, f"Report {number}\n" + "line\n" * 6)
    opened(page, anna)
    expect(page.locator(".unread-line")).to_be_in_viewport()
    seen = int(page.locator("#to-end-count").inner_text())
    assert 0 < seen < 12
    page.locator("#to-end").click()
    expect(page.locator(".message").last).to_be_in_viewport()
    expect(page.locator("#to-end")).to_be_hidden()
    bot.sends(anna, "The newest")
    expect(page.locator(".message", has_text="The newest")).to_be_in_viewport()
    page.reload()
    expect(page.locator(".message", has_text="The newest")).to_be_in_viewport()
    expect(page.locator(".unread-line")).to_have_count(0)


@pytest.mark.slow
def test_a_message_does_not_move_what_is_being_read(page: Page, bot: Bot, anna: Person) -> None:
    for number in range(12):
        bot.sends(anna, f"Report {number}\n" + "line\n" * 6)
    opened(page, anna)
    page.locator("#to-end").click()
    expect(page.locator("#to-end")).to_be_hidden()
    page.locator("#scroll").evaluate("node => node.scrollTo(0, 300)")
    expect(page.locator("#to-end")).to_be_visible()
    bot.sends(anna, "While reading")
    expect(page.locator("#to-end-count")).to_have_text("1")
    assert page.locator("#scroll").evaluate("node => node.scrollTop") == 300
    assert re.match(r"\(\d+\) Vitrina · Anna", page.title())


def test_another_persons_phone_is_taken_in_hand(page: Page, bot: Bot, anna: Person, url: str) -> None:
    olena = Person.joins(url, first_name="Олена", language="uk")
    opened(page, anna)
    bot.sends(olena, "Вітаю")
    expect(page.locator("#switch .dot")).to_be_visible()
    page.locator("#switch").click()
    row = page.locator(".person", has_text="Олена")
    expect(row.locator(".count")).to_have_text("1")
    row.click()
    expect(page.locator(".message")).to_have_text(re.compile("Вітаю"))
    expect(page.locator("#next-day")).to_have_text("Наступний день")
    assert page.locator("html").get_attribute("lang") == "uk"


def test_a_new_person_starts_the_bot(page: Page, anna: Person, bot: Bot) -> None:
    opened(page, anna)
    page.locator("#switch").click()
    page.locator("#add-person").click()
    page.get_by_label("Name").fill("Viktor")
    page.get_by_label("Language").select_option("en")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".message.out")).to_have_text(re.compile("/start"))
    expect(page.locator("#input")).to_be_visible()


@pytest.mark.slow
def test_a_blocked_bot_is_taken_back(page: Page, anna: Person) -> None:
    anna.blocks()
    opened(page, anna)
    page.get_by_role("button", name="Unblock the bot").click()
    expect(page.locator("#input")).to_be_visible()


@pytest.mark.slow
def test_the_next_day_is_prepared_before_the_one_after(page: Page, bot: Bot, anna: Person) -> None:
    opened(page, anna)
    before = page.locator("#world-day").inner_text()
    button = page.get_by_role("button", name="Next day")
    button.click()
    expect(page.locator("#progress")).to_be_visible()
    expect(button).to_be_disabled()
    expect(page.locator("#world-day")).not_to_have_text(before)
    bot.announces("progress", "sync… 3 of 5")
    expect(page.locator("#progress")).to_have_text("sync… 3 of 5")
    page.reload()
    expect(page.locator("#progress")).to_have_text("sync… 3 of 5")
    bot.announces("ready", "Day ready")
    expect(button).to_be_enabled()
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator(".toast")).to_have_text("Day ready")


def test_a_world_that_does_not_move_on_is_told(page: Page, anna: Person) -> None:
    opened(page, anna)
    page.route("**/world/next-day", lambda route: route.fulfill(status=500, json={"error": "no room for a day"}))
    page.get_by_role("button", name="Next day").click()
    expect(page.locator(".toast.wrong")).to_contain_text("no room for a day")
    expect(page.get_by_role("button", name="Next day")).to_be_enabled()


@pytest.mark.slow
def test_typing_is_shown_until_the_message_comes(page: Page, bot: Bot, anna: Person) -> None:
    opened(page, anna)
    bot.does("sendChatAction", chat_id=anna.id, action="typing")
    expect(page.locator("#status")).to_have_text("typing…")
    bot.sends(anna, "Done")
    expect(page.locator("#status")).to_have_text("bot · you are Anna")
    expect(page.locator(".message.typing")).to_have_count(0)


def test_a_lost_connection_comes_back_with_what_was_missed(page: Page, bot: Bot, anna: Person) -> None:
    page.route("**/_telegram/events", lambda route: route.abort(), times=1)
    page.goto(f"{anna.url}/chat#{anna.id}")
    bot.sends(anna, "Meanwhile")
    expect(page.locator(".message")).to_have_text(re.compile("Meanwhile"))


def test_every_word_of_the_page_exists_in_every_language() -> None:
    words = json.loads(Path(FOLDER, "words.json").read_text())
    sources = "".join(path.read_text() for path in FOLDER.glob("*.*") if path.suffix in {".js", ".html"})
    used = set(re.findall(r'word\("(\w+)"', sources)) | set(re.findall(r'data-(?:word|title|label)="(\w+)"', sources))
    assert set(words) == {"en", "ru", "uk"}
    for language, spoken in words.items():
        assert used <= set(spoken), language
        assert set(spoken) == set(words["en"]), language
        assert all(spoken.values()), language
