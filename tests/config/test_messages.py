"""The words: taken from code and templates, and translated whole."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import polib
import pytest

from config.messages import LOCALES, SOURCES, catalog_path, extracted, untranslated, update

CODE = """
from django.utils.translation import gettext_lazy as _, ngettext
_("Price %(price)s")
ngettext("%(count)d day", "%(count)d days", 3)
"""
TEMPLATE = """{% load i18n %}
  <p class="it's">{% translate "Hello" %} don't {{ name|default:_("nobody") }}</p>
{# Translators: the foot of a card #}
    {% blocktranslate count n=n trimmed %}
      {{ n }} order
   {% plural %}
      {{ n }} orders
 {% endblocktranslate %}
{% trans "May" context "month" %}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for source in SOURCES:
        (tmp_path / source).mkdir()
    (tmp_path / "apps" / "prices.py").write_text(CODE)
    (tmp_path / "templates" / "card.html").write_text(TEMPLATE)
    return tmp_path


def catalog(project: Path, locale: str) -> dict[str, polib.POEntry]:
    return {entry.msgid: entry for entry in polib.pofile(str(catalog_path(locale, project)))}


def test_words_of_code_and_templates_come_into_each_catalog(project: Path) -> None:
    update(project)
    for locale in LOCALES:
        found = catalog(project, locale)
        assert set(found) == {"Price %(price)s", "%(count)d day", "Hello", "nobody", "%(n)s order", "May"}
        assert found["%(n)s order"].msgid_plural == "%(n)s orders"
        assert found["%(n)s order"].comment == "the foot of a card"
        assert found["May"].msgctxt == "month"


def test_english_repeats_itself_and_others_wait_for_a_translator(project: Path) -> None:
    update(project)
    assert catalog(project, "en")["Hello"].msgstr == "Hello"
    assert catalog(project, "en")["%(count)d day"].msgstr_plural == {0: "%(count)d day", 1: "%(count)d days"}
    assert catalog(project, "ru")["Hello"].msgstr == ""


def test_it_says_what_is_to_be_translated(project: Path) -> None:
    update(project)
    assert set(untranslated("uk", project)) == set(catalog(project, "uk"))
    assert untranslated("en", project) == []
    path = catalog_path("uk", project)
    path.write_text(path.read_text().replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "Вітаю"'))
    assert set(catalog(project, "uk")) - set(untranslated("uk", project)) == {"Hello"}


def test_a_translation_stays_and_a_word_that_is_gone_goes(project: Path) -> None:
    update(project)
    path = catalog_path("uk", project)
    path.write_text(path.read_text().replace('msgid "Hello"\nmsgstr ""', 'msgid "Hello"\nmsgstr "Вітаю"'))
    (project / "apps" / "prices.py").write_text("")
    update(project)
    assert catalog(project, "uk")["Hello"].msgstr == "Вітаю"
    assert "Price %(price)s" not in catalog(project, "uk")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_catalog_is_complete(locale: str) -> None:
    """`make messages`, then translate what is empty in locale/."""
    entries = polib.pofile(str(catalog_path(locale)))
    known = {(entry.msgctxt, entry.msgid) for entry in entries if entry.translated()}
    assert used() - known == set(), "not translated"
    assert known - used() == set(), "no longer used"


@cache
def used() -> set[tuple[Any, Any]]:
    """The words of the whole project, each with its context or None."""
    return {(m.context, m.id[0] if m.pluralizable else m.id) for m in extracted() if m.id}


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_message(locale: str) -> None:
    for entry in polib.pofile(str(catalog_path(locale))):
        allowed = placeholders(entry.msgid) | placeholders(entry.msgid_plural)
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            assert placeholders(text) <= allowed, entry.msgid
        if not entry.msgid_plural:
            assert placeholders(entry.msgstr) == allowed, entry.msgid


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[a-z]|(?<!%)%[sd]|\{\w*\}", text))
