"""Telegram's HTML: text with tags in, plain text and entities out, refused in the words of the Bot API.

Offsets and lengths of entities count UTF-16 code units, as in the Bot API. The rules are those of `parse_html` in
Telegram's library TDLib (td/telegram/MessageEntity.cpp).
"""

import html
import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]

TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
ATTRIBUTE = r"""\s+[^\s=>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[\w.-]*))?"""
START_TAG = re.compile(rf"<([^\s>/]*)((?:{ATTRIBUTE})*)\s*>")
END_TAG = re.compile(r"</([^\s>]*)\s*>")
NAMED_VALUE = re.compile(r"""\s+([^\s=>]+)(?:\s*=\s*("[^"]*"|'[^']*'|[\w.-]*))?""")
CHARACTER = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")  # others stay as they are written
LINK = re.compile(r"^(?:https?|tg)://\S+$")
FOUND = (
    ("bot_command", re.compile(r"(?<!\S)/[a-z0-9_]{1,32}\b", re.IGNORECASE)),
    ("url", re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")),
)


class BadMarkup(ValueError):
    """Text that Telegram cannot parse."""


@dataclass(frozen=True)
class Formatted:
    """Plain text and what is said about its parts."""

    text: str
    entities: list[Entity] = field(default_factory=list)


@dataclass
class _Open:
    tag: str
    values: dict[str, str]
    offset: int


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def plain(text: str) -> Formatted:
    """Text without markup: commands and links are still found, as Telegram finds them."""
    stripped = text.strip()
    return Formatted(stripped, _found(stripped, []))


def parse_html(source: str) -> Formatted:
    """Raises BadMarkup for an unknown, unclosed or unmatched tag."""
    out, at = "", 0
    opened: list[_Open] = []
    entities: list[Entity] = []
    while at < len(source):
        if source[at] != "<":
            literal = _literal(source, at)
            out += _decoded(literal)
            at += len(literal)
        elif source.startswith("</", at):
            at, entity = _close(source, at, opened, units(out))
            entities += entity
        else:
            at = _open(source, at, opened, units(out))
    if opened:
        raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return _trimmed(out, entities)


def _literal(source: str, at: int) -> str:
    end = source.find("<", at)
    return source[at:] if end < 0 else source[at:end]


def _decoded(text: str) -> str:
    return CHARACTER.sub(lambda found: html.unescape(found.group()), text)


def _byte(source: str, at: int) -> int:
    return len(source[:at].encode())


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in {'"', "'"} else value


def _open(source: str, at: int, opened: list[_Open], offset: int) -> int:
    name = re.split(r"[\s>]", source[at + 1 :], maxsplit=1)[0].lower()
    if not re.search(r"[\s>]", source[at + 1 :]):
        raise BadMarkup(f"Unclosed start tag at byte offset {_byte(source, at)}")
    if name not in TYPES:
        raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {_byte(source, at)}')
    tag = START_TAG.match(source, at)
    if tag is None:
        raise BadMarkup(f'Unclosed start tag "{name}" at byte offset {_byte(source, at)}')
    values = {key.lower(): _decoded(_unquoted(value)) for key, value in NAMED_VALUE.findall(tag.group(2))}
    if name == "span" and values.get("class") != "tg-spoiler":
        raise BadMarkup(f'Tag "span" must have class "tg-spoiler" at byte offset {_byte(source, at)}')
    opened.append(_Open(name, values, offset))
    return tag.end()


def _close(source: str, at: int, opened: list[_Open], end: int) -> tuple[int, list[Entity]]:
    if not opened:
        raise BadMarkup(f"Unexpected end tag at byte offset {_byte(source, at)}")
    tag = END_TAG.match(source, at)
    if tag is None:
        raise BadMarkup(f"Unclosed end tag at byte offset {_byte(source, at)}")
    expected = opened.pop()
    if tag.group(1) and tag.group(1).lower() != expected.tag:
        raise BadMarkup(
            f"Unmatched end tag at byte offset {_byte(source, at)}, "
            f'expected "</{expected.tag}>", found "</{tag.group(1)}>"'
        )
    return tag.end(), _entity(expected, end)


def _entity(tag: _Open, end: int) -> list[Entity]:
    """What a closed tag says; nothing for an empty one, or for a link that is none."""
    if end == tag.offset:
        return []
    entity: Entity = {"type": TYPES[tag.tag], "offset": tag.offset, "length": end - tag.offset}
    if tag.tag == "a":
        if not LINK.match(tag.values.get("href", "")):
            return []
        entity["url"] = tag.values["href"]
    elif tag.tag == "blockquote" and "expandable" in tag.values:
        entity["type"] = "expandable_blockquote"
    elif tag.tag == "code" and tag.values.get("class", "").startswith("language-"):
        entity["language"] = tag.values["class"].removeprefix("language-")
    elif tag.tag == "tg-emoji":
        entity["custom_emoji_id"] = tag.values.get("emoji-id", "")
    return [entity]


def _trimmed(text: str, entities: list[Entity]) -> Formatted:
    """Telegram cuts white space around a message; entities move with the text."""
    start, stripped = units(text) - units(text.lstrip()), text.strip()
    end = start + units(stripped)
    kept = []
    for entity in entities:
        first, last = max(entity["offset"], start), min(entity["offset"] + entity["length"], end)
        if first < last:
            kept.append({**entity, "offset": first - start, "length": last - first})
    kept = _code_in_pre(kept)
    kept += _found(stripped, kept)
    return Formatted(stripped, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"])))


def _code_in_pre(entities: list[Entity]) -> list[Entity]:
    """`<pre><code class="language-x">` is one entity `pre` with a language; code alone has none."""
    languages = {(e["offset"], e["length"]): e.pop("language", None) for e in entities if e["type"] == "code"}
    blocks = {(e["offset"], e["length"]) for e in entities if e["type"] == "pre"}
    kept = [e for e in entities if e["type"] != "code" or (e["offset"], e["length"]) not in blocks]
    for entity in kept:
        language = languages.get((entity["offset"], entity["length"]))
        if entity["type"] == "pre" and language:
            entity["language"] = language
    return kept


def _found(text: str, entities: list[Entity]) -> list[Entity]:
    """Commands and bare links, where no code or link stands already."""
    taken = [entity for entity in entities if entity["type"] in {"code", "pre", "text_link"}]
    found = []
    for kind, pattern in FOUND:
        for match in pattern.finditer(text):
            offset, length = units(text[: match.start()]), units(match.group())
            if not any(offset < e["offset"] + e["length"] and e["offset"] < offset + length for e in taken):
                found.append({"type": kind, "offset": offset, "length": length})
    return sorted(found, key=lambda entity: entity["offset"])
