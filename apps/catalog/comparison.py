"""What a sheet would change, as people see it: on the page the first rows of each kind, as a table all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models import SheetImport
from apps.catalog.product_settings import Value, as_said
from apps.catalog.sheet_import import Change, Fate, Line, has_expired
from apps.catalog.sheet_words import NAMES, Field
from apps.common import formats

MOST_SHOWN = 200
"""Rows of each kind on the page; the table has them all."""

TITLES_OF_KINDS: dict[Fate, tuple[Promise, Promise]] = {
    Fate.ENTERED: (gettext_lazy("Entered"), gettext_lazy("This holds now.")),
    Fate.MOVED: (
        gettext_lazy("Changed in the meantime"),
        gettext_lazy("Somebody has entered something else since the file was read. The newer word stays."),
    ),
    Fate.HELD: (
        gettext_lazy("Large changes"),
        gettext_lazy("A slip of the pen looks like this. Only what is ticked is entered."),
    ),
    Fate.CHANGED: (gettext_lazy("Changes"), gettext_lazy("Entered with the press of the button.")),
    Fate.NEW: (gettext_lazy("New"), gettext_lazy("Nobody has said anything of these yet.")),
}
COUNTED: dict[Fate, Promise] = {
    **{fate: title for fate, (title, _explanation) in TITLES_OF_KINDS.items()},
    Fate.UNCHANGED: gettext_lazy("Unchanged"),
    Fate.BLANK: gettext_lazy("Empty"),
    Fate.WRONG: gettext_lazy("With errors"),
}


@dataclass(frozen=True)
class Group:
    """Rows of one kind, of which the first are shown."""

    fate: Fate
    lines: list[Line]
    currency: str

    @property
    def title(self) -> Promise:
        return TITLES_OF_KINDS[self.fate][0]

    @property
    def explanation(self) -> Promise:
        return TITLES_OF_KINDS[self.fate][1]

    @property
    def is_to_tick(self) -> bool:
        return self.fate == Fate.HELD

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [_in_words(line, self.currency) for line in self.lines[:MOST_SHOWN]]

    @property
    def left_off(self) -> int:
        return max(0, len(self.lines) - MOST_SHOWN)


@dataclass(frozen=True)
class Comparison:
    """What the page shows of a file: of each kind of row how many, and the rows themselves."""

    found: SheetImport
    lines: tuple[Line, ...]

    def of(self, fate: Fate) -> list[Line]:
        return [line for line in self.lines if line.fate == fate]

    @property
    def groups(self) -> list[Group]:
        currency = self.found.shop.currency
        return [Group(fate, lines, currency) for fate in TITLES_OF_KINDS if (lines := self.of(fate))]

    @property
    def wrong(self) -> list[dict[str, Any]]:
        return [_wrong_in_words(line) for line in self.of(Fate.WRONG)[:MOST_SHOWN]]

    @property
    def wrong_left_off(self) -> int:
        return max(0, len(self.of(Fate.WRONG)) - MOST_SHOWN)

    @property
    def counts(self) -> list[tuple[Promise, int]]:
        counted = [(title, len(self.of(fate))) for fate, title in COUNTED.items()]
        return [(title, count) for title, count in counted if count]

    @property
    def is_open(self) -> bool:
        return self.found.state == SheetImport.State.WAITING and not has_expired(self.found)

    @property
    def is_too_old(self) -> bool:
        return self.found.state == SheetImport.State.WAITING and has_expired(self.found)

    @property
    def has_something_to_enter(self) -> bool:
        return any(line.fate in (Fate.NEW, Fate.CHANGED, Fate.HELD) for line in self.lines)


def table_of(lines: tuple[Line, ...]) -> tuple[list[str], Iterator[list[object]]]:
    """Titles and rows: one row for each change, and one for each row of the file that changes nothing."""
    titles = [_("Row"), _("Product"), _("What becomes of it"), _("What"), _("Before"), _("After")]
    return [*titles, _("Change, %"), _("From"), _("What is wrong")], (
        row for line in lines for row in _table_rows(line)
    )


def _table_rows(line: Line) -> Iterator[list[object]]:
    begin: list[object] = [line.number, line.label, str(COUNTED[line.fate])]
    for change in line.told:
        before, after = (
            None if value is None else as_said(change.field, value) for value in (change.before, change.after)
        )
        percent = None if change.rate is None else (change.rate * 100).quantize(Decimal("0.1"))
        yield [*begin, str(NAMES[change.field]), before, after, percent, line.starts_on, None]
    if not line.changes:
        yield [*begin, None, None, None, None, None, why(line) or None]


def why(line: Line) -> str:
    """All that is wrong with a row, each with the column that it is about."""
    return " ".join(str(problem) for problem in line.problems)


def _in_words(line: Line, currency: str) -> dict[str, Any]:
    return {
        "number": line.number,
        "label": line.label,
        "changes": [_change_in_words(change, currency) for change in line.told],
        "starts_on": "" if line.starts_on is None else formats.day(line.starts_on),
    }


def _change_in_words(change: Change, currency: str) -> dict[str, str]:
    is_cost = change.field == Field.AMOUNT
    unsaid = _("unknown") if is_cost else _("not set")
    return {
        "name": "" if is_cost else str(NAMES[change.field]),
        "before": value_in_words(change.field, change.before, currency) or unsaid,
        "after": value_in_words(change.field, change.after, currency) or unsaid,
        "rate": formats.change(change.rate) if change.rate else "",
    }


def value_in_words(field: Field, value: Value, currency: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field == Field.MIN_MARGIN:
        return formats.percent(value)
    is_count = field in (Field.LEAD_DAYS, Field.PACK_SIZE, Field.MIN_ORDER)
    return formats.whole(value) if is_count else formats.money(value, currency)


def _wrong_in_words(line: Line) -> dict[str, Any]:
    problems = [(NAMES[problem.field], str(problem)) for problem in line.problems]
    return {"number": line.number, "label": line.label, "problems": problems}
