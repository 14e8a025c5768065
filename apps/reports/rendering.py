"""What a message is made of, and the way from a template to Telegram's HTML.

In a template each <p>...</p> is a paragraph and each of its lines a line of the message; indentation and empty lines
go. A tag is closed on the line on which it was opened, so that a message can be cut between two lines.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

MOST_UNITS = 4096
"""Telegram's limit in UTF-16 units, for the text without its tags; counting the tags too is on the safe side."""

PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
MORE = "…"


@dataclass(frozen=True)
class Button:
    """What a press does: `action` with `params` (ids), as `bots.actions` reads them. `label` is words already, in the
    language of the recipient: nobody speaks it any more when the message is sent."""

    label: str
    action: str
    params: Mapping[str, Any]


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Rendered:
    """Telegram HTML, and rows of buttons under it."""

    text: str
    rows: Rows = ()


def from_template(name: str, context: Mapping[str, Any], rows: Rows = ()) -> Rendered:
    """The message of templates/telegram/<name>.html."""
    source = render_to_string(f"telegram/{name}.html", dict(context))
    paragraphs = [_lines(found) for found in PARAGRAPH.findall(source)]
    return Rendered(fit("\n\n".join(filter(None, paragraphs))), rows)


def together(parts: Iterable[Rendered]) -> Rendered:
    """One message after the other, as one."""
    found = list(parts)
    return Rendered(fit("\n\n".join(part.text for part in found)), tuple(row for part in found for row in part.rows))


def fit(text: str) -> str:
    """At most what one message holds: lines are left out at the end, where possible whole paragraphs."""
    if _units(text) <= MOST_UNITS:
        return text
    for between in ("\n\n", "\n"):
        cut = _cut(text, between)
        if cut:
            return f"{cut}\n\n{MORE}"
    bare = html.unescape(TAG.sub("", text.split("\n", maxsplit=1)[0]))
    return html.escape(bare[: MOST_UNITS // len("&quot;") - len(MORE)]) + MORE


def _cut(text: str, between: str) -> str:
    """As many whole parts from the start as leave room for the sign that more was meant; "" for none."""
    parts = text.split(between)
    while parts and _units(f"{between.join(parts)}\n\n{MORE}") > MOST_UNITS:
        parts.pop()
    return between.join(parts)


def _lines(text: str) -> str:
    return "\n".join(filter(None, (line.strip() for line in text.splitlines())))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
