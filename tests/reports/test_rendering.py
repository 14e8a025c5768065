from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.marketplaces.standins.telegram.markup import parse_html
from apps.notifications.models import OutboxMessage
from apps.reports import messages
from apps.reports.rendering import MORE, MOST_UNITS, Button, Rendered, fit, together
from apps.reports.templatetags.figures import plain

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "telegram"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_a_short_message_stays_as_it_is() -> None:
    assert fit("<b>one</b>\n\ntwo") == "<b>one</b>\n\ntwo"


def test_a_long_message_loses_its_last_paragraphs() -> None:
    paragraph = "<b>" + "я" * 990 + "</b>"
    cut = fit("\n\n".join([paragraph] * 6))
    assert cut == "\n\n".join([paragraph] * 4 + [MORE])
    parse_html(cut)


def test_a_long_paragraph_loses_its_last_lines() -> None:
    line = "<i>" + "x" * 100 + "</i>"
    cut = fit("\n".join([line] * 60))
    assert cut.startswith(f"{line}\n{line}\n")
    assert cut.endswith(f"{line}\n\n{MORE}")
    assert MOST_UNITS - 150 < units(cut) <= MOST_UNITS
    parse_html(cut)


@pytest.mark.parametrize("sign", ["x", "&amp;", "&lt;", "😀", "&quot;"])
def test_even_one_endless_line_fits(sign: str) -> None:
    cut = fit("<b>" + sign * 5000 + "</b>")
    assert units(cut) <= MOST_UNITS
    assert parse_html(cut).text.endswith(MORE)


def test_emoji_count_as_telegram_counts_them() -> None:
    assert units(fit("\n".join(["😀" * 50] * 80))) <= MOST_UNITS


def test_together_keeps_the_buttons_of_all() -> None:
    one, two = (Rendered(text, ((Button(text, "proposal.reject", {}),),)) for text in ("one", "two"))
    both = together([one, two])
    assert both.text == "one\n\ntwo"
    assert [row[0].label for row in both.rows] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines\tand\x00 more", "two lines and more"),
        ("\u202eright to left\u202c\u200f", "right to left"),
        ("a" * 130, "a" * 119 + "…"),
        ("below 1\N{NO-BREAK SPACE}490\N{NO-BREAK SPACE}₽", "below 1\N{NO-BREAK SPACE}490\N{NO-BREAK SPACE}₽"),
        ("  спейс   everywhere ", "спейс everywhere"),
    ],
)
def test_names_are_shown_on_one_line_and_in_one_direction(name: str, shown: str) -> None:
    assert plain(name) == shown


def test_every_message_has_words_for_its_name() -> None:
    assert set(OutboxMessage.Name.values) == set(messages.MESSAGES)


def test_every_message_has_a_template_of_its_name() -> None:
    for name in messages.MESSAGES:
        assert (TEMPLATES / f"{name}.html").exists()


def test_every_name_that_is_told_can_be_rendered() -> None:
    sources = [
        path.read_text()
        for folder in ("apps", "bots", "tasks")
        for path in Path(settings.BASE_DIR, folder).rglob("*.py")
    ]
    told = {name for text in sources for name in re.findall(r'tell\(\s*name="(\w+)"', text)}
    alarms = {name for text in sources for name in re.findall(r'\bAlarm\("(\w+)"', text)}
    assert {"proposal_card", "job_failed"} <= told | alarms <= set(messages.MESSAGES)


def test_a_name_that_nobody_renders_is_an_error() -> None:
    from apps.shops.models import Person, Seller

    message = OutboxMessage(name="unheard_of", person=Person(language="en"), seller=Seller())
    with pytest.raises(KeyError, match="unheard_of"):
        messages.render(message, now=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_tag_is_closed_on_the_line_on_which_it_was_opened(path: Path) -> None:
    """Messages are cut between lines. (Template tags and the paragraphs' <p> are not part of the message.)"""
    source = re.sub(
        r"(?s){% blocktranslate .*?{% endblocktranslate %}", lambda m: m.group().replace("\n", " "), path.read_text()
    )
    for line in source.splitlines():
        for tag in ("b", "i", "u", "s", "code", "a"):
            assert len(re.findall(rf"<{tag}[ >]", line)) == line.count(f"</{tag}>"), line


def test_nothing_escapes_the_escaping() -> None:
    for path in TEMPLATES.glob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape\s+off", path.read_text()), path
