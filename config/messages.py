"""The catalogs of words: `python -m config.messages` takes the words from code and templates into locale/.

Babel extracts, updates and compiles, so that no gettext tools are needed. English repeats the msgid.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from config.env import BASE_DIR

LOCALES = ("ru", "uk", "en")
SOURCES = ("apps", "bots", "config", "tasks", "templates")
KEYWORDS: Mapping[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
COMMENT = ("Translators:",)
METHODS = [("**.py", "python"), ("**.html", "config.messages:extract_django")]


def extract_django(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: list[str], options: Any
) -> Generator[Any, None, None]:
    """Babel's extraction of `{% translate %}`, `{% blocktranslate %}` and `_()` of a Django template.

    Django itself turns a template into text in which only the calls of gettext are left; without its indentation
    that text reads as Python.
    """
    calls = templatize(file.read().decode("utf-8"))
    source = "\n".join(line.lstrip() for line in calls.split("\n"))
    yield from extract_python(BytesIO(source.encode()), keywords, comment_tags, options)


def extracted(root: Path = BASE_DIR) -> Catalog:
    """Every message of the sources, with the places it comes from."""
    found = Catalog(project="Vitrina", charset="utf-8")
    for source in sorted(SOURCES):
        messages = extract_from_dir(
            root / source, METHODS, keywords=KEYWORDS, comment_tags=COMMENT, strip_comment_tags=True
        )
        for name, line, message, comments, context in messages:
            place = (f"{source}/{name}", line)
            found.add(message, None, [place], auto_comments=comments, context=context)
    return found


def catalog_path(locale: str, root: Path = BASE_DIR) -> Path:
    return root / "locale" / locale / "LC_MESSAGES" / "django.po"


def update(root: Path = BASE_DIR) -> None:
    """Bring each catalog in step with the sources: new messages empty, gone ones dropped, English filled in."""
    template = extracted(root)
    for locale in LOCALES:
        path = catalog_path(locale, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = _read(path, locale)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        if locale == "en":
            for message in catalog:
                _repeat(message)
        with path.open("wb") as file:
            write_po(file, catalog, width=120, sort_by_file=True, omit_header=False, include_lineno=False)


def untranslated(locale: str, root: Path = BASE_DIR) -> list[str]:
    """The messages of a catalog that still want words."""
    catalog = _read(catalog_path(locale, root), locale)
    return [_forms(message.id)[0] for message in catalog if message.id and not all(_forms(message.string))]


def _read(path: Path, locale: str) -> Catalog:
    if not path.exists():
        return Catalog(
            locale=locale,
            domain="django",
            header_comment=f"# The words of Vitrina: {locale}",
            project="Vitrina",
            version="1",
            last_translator="Vitrina",
            language_team=locale,
            msgid_bugs_address="",
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain="django", abort_invalid=True)


def _repeat(message: Message) -> None:
    """Give an English message that has no words yet its msgid."""
    if message.id and not any(_forms(message.string)):
        message.string = tuple(message.id) if message.pluralizable else message.id


def _forms(words: Any) -> tuple[str, ...]:
    """The forms for one and for many, or the one form there is."""
    return tuple(words) if isinstance(words, list | tuple) else (words or "",)


if __name__ == "__main__":
    update()
    for name in LOCALES:
        for words in untranslated(name):
            print(f"{catalog_path(name).relative_to(BASE_DIR)}: to be translated: {words}")  # noqa: T201
