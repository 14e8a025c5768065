"""A file of costs, row by row: which column is what, in three languages, and what each cell says.

A row either says everything (product, amount, day) or says what is wrong with it and what is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.costs import KOPECK, MOST, is_possible
from apps.common.sheet_reader import Cell, SheetError, SheetRow


class Field(StrEnum):
    OFFER_ID = "offer_id"
    SKU = "sku"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STARTS_ON = "starts_on"


# The first of a language is what the template says; these and what people call the same in their own tables are read.
TITLES: dict[Field, dict[str, tuple[str, ...]]] = {
    Field.OFFER_ID: {
        "ru": ("артикул", "артикул продавца", "артикул товара", "ваш артикул"),
        "uk": ("артикул", "артикул продавця", "артикул товару", "ваш артикул"),
        "en": ("offer id", "seller's article", "article", "item code"),
    },
    Field.SKU: {
        "ru": ("sku", "ozon sku", "sku ozon", "ozon sku id", "артикул ozon"),
        "uk": ("sku", "ozon sku", "sku ozon"),
        "en": ("sku", "ozon sku"),
    },
    Field.AMOUNT: {
        "ru": ("себестоимость", "себестоимость единицы", "закупочная цена", "цена закупки", "закупка"),
        "uk": ("собівартість", "собівартість одиниці", "закупівельна ціна", "ціна закупівлі", "закупівля"),
        "en": ("unit cost", "cost", "cost price", "cogs", "purchase price", "amount"),
    },
    Field.CURRENCY: {"ru": ("валюта",), "uk": ("валюта",), "en": ("currency",)},
    Field.STARTS_ON: {
        "ru": ("действует с", "с даты", "с", "дата", "дата начала", "начало действия"),
        "uk": ("діє з", "з дати", "з", "дата", "дата початку", "початок дії"),
        "en": ("starts on", "from", "valid from", "date", "start date"),
    },
}
KNOWN = {title: field for field, names in TITLES.items() for titles in names.values() for title in titles}
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


class Trouble(StrEnum):
    """What may be wrong with a cell, or with its row."""

    NO_PRODUCT_NAMED = "no_product_named"
    UNKNOWN_OFFER = "unknown_offer"
    UNKNOWN_SKU = "unknown_sku"
    AMBIGUOUS_OFFER = "ambiguous_offer"
    OTHER_PRODUCT = "other_product"
    BAD_AMOUNT = "bad_amount"
    OTHER_CURRENCY = "other_currency"
    BAD_DAY = "bad_day"
    REPEATED = "repeated"


WORDS: dict[Trouble, Promise] = {
    Trouble.NO_PRODUCT_NAMED: _("Neither an offer id nor a SKU: one of the two says which product is meant."),
    Trouble.UNKNOWN_OFFER: _("The shop has no product with the offer id “%(given)s”."),
    Trouble.UNKNOWN_SKU: _("The shop has no product with the SKU “%(given)s”."),
    Trouble.AMBIGUOUS_OFFER: _("Several products have the offer id “%(given)s”: give the SKU as well."),
    Trouble.OTHER_PRODUCT: _("The SKU “%(given)s” belongs to another product than the offer id."),
    Trouble.BAD_AMOUNT: _("“%(given)s” is not an amount: above 0, at most two decimals, such as 1448.00 or 1 448,00."),
    Trouble.OTHER_CURRENCY: _("“%(given)s” is not the shop's money: leave it empty, or give %(expected)s."),
    Trouble.BAD_DAY: _(
        "“%(given)s” is not a day on which a cost can start: from the year 2000 to two years ahead,"
        " such as 2026-03-01 or 01.03.2026."
    ),
    Trouble.REPEATED: _("Row %(given)s has the same product and the same day: keep one of the two."),
}
LONGEST_GIVEN = 60


@dataclass(frozen=True)
class Problem:
    """`given` is what stands in the file, `expected` what could, where that depends on the shop."""

    field: str
    code: str
    given: str = ""
    expected: str = ""

    def __str__(self) -> str:
        return str(WORDS[Trouble(self.code)]) % {"given": self.given[:LONGEST_GIVEN], "expected": self.expected}


@dataclass(frozen=True)
class Columns:
    """Where each field stands: in which column of the rows after the row number `header_row`."""

    header_row: int
    titles: tuple[str, ...]
    places: dict[Field, int]

    def cell(self, row: SheetRow, field: Field) -> Cell:
        place = self.places.get(field)
        return row.cells[place] if place is not None and place < len(row.cells) else None


def find_columns(rows: Sequence[SheetRow]) -> Columns:
    """By the first row that names an amount and a product. Raises `SheetError` when there is none."""
    for row in rows[:TITLE_ROWS]:
        titles = tuple("" if cell is None else str(cell) for cell in row.cells)
        places: dict[Field, int] = {}
        for place, title in enumerate(titles):
            if field := KNOWN.get(_plain(title)):
                places.setdefault(field, place)
        if Field.AMOUNT in places and places.keys() & {Field.OFFER_ID, Field.SKU}:
            return Columns(row.number, titles, places)
    found = ", ".join(str(cell)[:LONGEST_GIVEN] for cell in rows[0].cells[:10] if cell is not None)
    raise SheetError(
        _(
            "No row has the titles of the columns: needed are “offer id” or “SKU”, and “unit cost”, as in the template."
            " The first row says: %(found)s"
        )
        % {"found": found}
    )


def _plain(title: str) -> str:
    """The title without its decoration: case, blanks, underscores, a unit after a comma or in brackets."""
    bare = re.split(r"[,(\[]", title.translate(BLANKS).replace("_", " ").lower())[0]
    return " ".join(bare.replace("*", "").replace(":", "").replace("’", "'").split())


def read_amount(cell: Cell) -> Decimal | None:
    """The amount; None when the cell does not hold one."""
    if isinstance(cell, str):
        text = cell.translate(BLANKS)
        amount = Decimal(_with_point(text)) if AMOUNT.fullmatch(text) else None
    elif isinstance(cell, int | float):
        amount = _without_noise(Decimal(str(cell)))
    else:
        amount = None
    return amount if amount is not None and is_possible(amount) else None


def _without_noise(exact: Decimal) -> Decimal | None:
    """In whole cents, when that is what it is: a computed cell holds 350.30000000000001."""
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
