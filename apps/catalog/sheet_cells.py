"""A sheet, cell by cell: which column is what, and the figure, the day or the word that a cell says.

What is no such thing, or could be two, is None and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.catalog.costs import KOPECK, MOST, is_possible
from apps.catalog.sheet_words import LONGEST_GIVEN, NAMES, TITLES, Field
from apps.common.sheet_reader import Cell, SheetError, SheetRow

TITLE_ROWS = 10
"""So many rows at the top may hold a heading before the titles of the columns come."""

CURRENCIES = {
    "₽": "RUB",
    "РУБ": "RUB",
    "РУБ.": "RUB",
    "₴": "UAH",
    "ГРН": "UAH",
    "ГРН.": "UAH",
    "₸": "KZT",
    "BYR": "BYN",
}
EARLIEST, LATEST_YEARS = date(2000, 1, 1), 2
BLANKS = str.maketrans(dict.fromkeys("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}", " "))
# 1448, 1448.5, 1448,50; in groups of three 1 448,00, 1,448.00, 1.448,00. "1,448" may be either, and is neither.
AMOUNT = re.compile(
    r"(?:[0-9]+|[0-9]{1,3}(?: [0-9]{3})+)(?:[.,][0-9]{1,2})?"
    r"|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,2}"
    r"|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,2}"
)
FLOAT_NOISE = Decimal("0.000001")
DAYS = ("%Y-%m-%d", "%d.%m.%Y")
DASHES = frozenset("-–—−")
YES = frozenset({"да", "так", "yes", "true", "истина", "істина", "вкл", "увімк", "on", "1"})
NO = frozenset({"нет", "ні", "no", "false", "ложь", "хибність", "выкл", "вимк", "off", "0"})


@dataclass(frozen=True)
class Columns:
    """Where each field stands: in which column of the rows after the row number `header_row`."""

    header_row: int
    titles: tuple[str, ...]
    places: dict[Field, int]

    def cell(self, row: SheetRow, field: Field) -> Cell:
        place = self.places.get(field)
        return row.cells[place] if place is not None and place < len(row.cells) else None

    def text(self, row: SheetRow, field: Field) -> str:
        return text_of(self.cell(row, field))


def find_columns(rows: Sequence[SheetRow], *, fields: Collection[Field], needed: Collection[Field]) -> Columns:
    """By the first row that names a product and one of the `needed` among the `fields` of the sheet. Raises
    `SheetError` when there is none."""
    known = {_plain(title): field for field in fields for titles in TITLES[field].values() for title in titles}
    for row in rows[:TITLE_ROWS]:
        titles = tuple("" if cell is None else str(cell) for cell in row.cells)
        places: dict[Field, int] = {}
        for place, title in enumerate(titles):
            if field := known.get(_plain(title)):
                places.setdefault(field, place)
        if places.keys() & set(needed) and places.keys() & {Field.OFFER_ID, Field.SKU}:
            return Columns(row.number, titles, places)
    found = ", ".join(str(cell)[:LONGEST_GIVEN] for cell in rows[0].cells[:10] if cell is not None)
    raise SheetError(
        _(
            "No row has the titles of the columns: needed are “offer id” or “SKU”, and %(needed)s, as in the template."
            " The first row says: %(found)s"
        )
        % {"needed": _either(needed), "found": found}
    )


def _either(fields: Collection[Field]) -> str:
    return " / ".join(f"“{NAMES[field]}”" for field in fields)


def _plain(title: str) -> str:
    """The title without its decoration: case, blanks, underscores, a unit after a comma or in brackets."""
    bare = re.split(r"[,(\[]", title.translate(BLANKS).replace("_", " ").lower())[0]
    return " ".join(bare.replace("*", "").replace(":", "").replace("’", "'").split())


def is_dash(cell: Cell) -> bool:
    """A dash says that nothing is to hold any more; an empty cell says nothing at all."""
    return isinstance(cell, str) and cell.strip() in DASHES


def read_amount(cell: Cell) -> Decimal | None:
    """The amount of money; None when the cell does not hold one."""
    amount = _number(cell)
    return amount if amount is not None and is_possible(amount) else None


def read_percent(cell: Cell) -> Decimal | None:
    """A share written in percent, as a fraction. Below 1 % only 0: 0.15 is what a workbook holds of a cell "15 %"."""
    if isinstance(cell, str):
        cell = cell.translate(BLANKS).removesuffix("%").strip()
    percent = _number(cell)
    return percent / 100 if percent is not None and (percent == 0 or percent >= 1) else None


def read_whole(cell: Cell) -> Decimal | None:
    number = _number(cell)
    return number.quantize(Decimal(1)) if number is not None and number == number.to_integral_value() else None


def read_switch(cell: Cell) -> bool | None:
    word = text_of(cell).lower()
    return True if word in YES else False if word in NO else None


def _number(cell: Cell) -> Decimal | None:
    if isinstance(cell, str):
        text = cell.translate(BLANKS)
        return Decimal(_with_point(text)) if AMOUNT.fullmatch(text) else None
    return _without_noise(Decimal(str(cell))) if isinstance(cell, int | float) else None


def _without_noise(exact: Decimal) -> Decimal | None:
    """In whole hundredths, when that is what it is: a computed cell holds 350.30000000000001."""
    if not exact.is_finite() or abs(exact) > MOST:
        return None
    rounded = exact.quantize(KOPECK)
    return rounded if abs(rounded - exact) < FLOAT_NOISE else None


def _with_point(text: str) -> str:
    """The last of the signs that is no group of three begins the decimals."""
    whole, sign, decimals = text.replace(" ", "").replace(",", ".").rpartition(".")
    return f"{whole.replace('.', '')}{sign}{decimals}"


def read_day(cell: Cell, *, today: date) -> date | None:
    """The day, today when the cell is empty; None when it holds no day that a cost can start on."""
    if cell is None or cell == "":
        return today
    day = cell if isinstance(cell, date) else _day_of_text(str(cell))
    return day if day and EARLIEST <= day <= today.replace(year=today.year + LATEST_YEARS, day=1) else None


def _day_of_text(text: str) -> date | None:
    for form in DAYS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day, without a moment or a zone
        except ValueError:
            continue
    return None


def read_currency(cell: Cell, *, expected: str) -> str:
    """The currency's code, the shop's when the cell is empty."""
    given = text_of(cell).upper()
    return CURRENCIES.get(given, given) or expected


def text_of(cell: Cell) -> str:
    """An offer id that looks like a number is a number in a workbook: 12345, never 12345.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
