"""What a message is made of, and from a template to Telegram's HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.functional import Promise

MOST_UNITS = 4096
"""Telegram counts UTF-16 units of the text without its tags; counting the tags too is on the safe side."""

PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
CUT = "…"


@dataclass(frozen=True)
class Button:
    """What a press does: `action` with `params` (ids), as `bots.actions` reads them."""

    label: str | Promise
    action: str
    params: Mapping[str, Any]


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Rendered:
    """Telegram HTML, and rows of buttons under it."""

    text: str
    rows: Rows = ()


def from_template(name: str, context: Mapping[str, Any], rows: Rows = ()) -> Rendered:
    """Render templates/telegram/<name>.html: its <p>…</p> become paragraphs, its indentation and empty lines go."""
    source = render_to_string(f"telegram/{name}.html", dict(context))
    paragraphs = [_lines(found) for found in PARAGRAPH.findall(source)]
    return Rendered(fit("\n\n".join(text for text in paragraphs if text)), rows)


def fit(text: str) -> str:
    """What one message holds. Whole lines are left out at the end: a tag never crosses a line in our templates."""
    if _units(text) <= MOST_UNITS:
        return text
    lines = text.split("\n")
    while len(lines) > 1 and _units("\n".join([*lines, CUT])) > MOST_UNITS:
        lines.pop()
    kept = "\n".join(lines).rstrip()
    if _units(f"{kept}\n{CUT}") > MOST_UNITS:
        kept = html.escape(html.unescape(TAG.sub("", kept))[: MOST_UNITS // 8], quote=False)
    return f"{kept}\n{CUT}"


def _lines(text: str) -> str:
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
