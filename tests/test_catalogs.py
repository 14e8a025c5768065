"""The translations as they lie in locale/. (That they are complete: tests/config/test_messages.py.)"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import polib
import pytest

from config.env import BASE_DIR
from config.messages import KEYWORDS, LOCALES, SOURCES, catalog_path

TRANSLATED = [locale for locale in LOCALES if locale != "en"]
FOREIGN_LETTERS = {"ru": "іїєґІЇЄҐ", "uk": "ыъэёЫЪЭЁ"}


def catalog(locale: str) -> polib.POFile:
    return polib.pofile(str(catalog_path(locale)))


def pairs(locale: str) -> list[tuple[str, str]]:
    """Each message beside each form of its translation. (A form for many belongs to the plural.)"""
    found = []
    for entry in catalog(locale):
        if entry.msgid_plural:
            found += [(entry.msgid_plural, form) for form in entry.msgstr_plural.values()]
        else:
            found.append((entry.msgid, entry.msgstr))
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_in_it_is_doubtful_or_dead(locale: str) -> None:
    assert [entry.msgid for entry in catalog(locale) if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_form_of_a_number_is_there(locale: str) -> None:
    found = catalog(locale)
    forms = int(re.findall(r"nplurals=(\d)", found.metadata["Plural-Forms"])[0])
    for entry in found:
        if entry.msgid_plural:
            assert len(entry.msgstr_plural) == forms, entry.msgid
            assert all(entry.msgstr_plural.values()), entry.msgid


def test_english_says_what_the_code_says() -> None:
    for entry in catalog("en"):
        shown = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        assert shown == ([entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid])


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_has_the_tags_of_its_message(locale: str) -> None:
    for message, shown in pairs(locale):
        assert sorted(re.findall(r"</?\w+>", shown)) == sorted(re.findall(r"</?\w+>", message)), message


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_begins_and_ends_like_its_message(locale: str) -> None:
    """Sentences stay sentences, labels labels, bullets bullets; no blank was lost or won at either end."""
    for message, shown in pairs(locale):
        for sign in (" ", "•", "…"):
            assert message.startswith(sign) == shown.startswith(sign), message
        for sign in (" ", "…", ":", "?", "!"):
            assert message.endswith(sign) == shown.endswith(sign), message
        assert shown.endswith(".") or not message.endswith("."), message  # "pcs" is "шт."


@pytest.mark.parametrize("locale", TRANSLATED)
def test_it_is_written_in_its_own_letters(locale: str) -> None:
    for _message, shown in pairs(locale):
        assert not set(shown) & set(FOREIGN_LETTERS[locale]), shown


@pytest.mark.parametrize("locale", TRANSLATED)
def test_nothing_was_left_in_english(locale: str) -> None:
    words_only = re.compile(r"%\(\w+\)\w|%%|<[^>]+>|[^A-Za-z ]")
    same = {message for message, shown in pairs(locale) if message == shown and words_only.sub("", message).strip()}
    assert same <= {"API", "SKU", "FBO", "FBS", "%(seconds)s s"}


def names_of_gettext(path: Path) -> set[str]:
    """By which names a module calls Django's functions that translate."""
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    imported = [name for node in imports if node.module == "django.utils.translation" for name in node.names]
    return {name.asname or name.name for name in imported if "gettext" in name.name}


def test_words_are_marked_only_by_names_that_the_extraction_knows() -> None:
    """What is marked by another name enters no catalog, and everybody reads it in English."""
    modules = [path for source in SOURCES for path in (BASE_DIR / source).rglob("*.py")]
    unknown = {str(path.relative_to(BASE_DIR)): names_of_gettext(path) - set(KEYWORDS) for path in modules}
    assert {path: names for path, names in unknown.items() if names} == {}
