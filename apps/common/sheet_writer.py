"""Tables for people to take away, as .xlsx and .csv, in which no text ever becomes a formula.

Numbers stay numbers and days stay days; whatever else there is goes in as text. A table lies in a temporary file, so
that its size costs no memory, and one that fails halfway is never handed out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

Row = Sequence[object]
Plain = str | int | float | Decimal | date | None
"""What a cell holds. A datetime is a wall clock's, without a zone."""

LONGEST_TEXT = 32_767  # of a cell, by the file's own format
MOST_DIGITS = 15  # a spreadsheet keeps no more of a number: a longer one is a name, and goes in as text
WIDEST, NARROWEST = 60, 8
NEVER_IN_A_CELL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
BEGINS_A_FORMULA = tuple("=+-@\t\r\n")
TEXT_ALONE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
COMMA_LANGUAGES = ("ru", "uk")


@dataclass(frozen=True)
class Kind:
    """A kind of file: its ending, what people call it, and what writes a table of it into an open one."""

    name: str
    label: str
    content_type: str
    write: Callable[[IO[bytes], Sequence[str], Iterable[Row], ZoneInfo], None]


def written(kind: Kind, header: Sequence[str], rows: Iterable[Row], *, zone: ZoneInfo) -> IO[bytes]:
    """An open file with the table, to be read from its start; moments are told in `zone`."""
    file = TemporaryFile()  # noqa: SIM115  # whoever answers with it closes it
    try:
        kind.write(file, header, rows, zone)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def plain(value: object, zone: ZoneInfo) -> Plain:
    """The value as a cell holds it."""
    if value is None or isinstance(value, str):
        return value and clean(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return value
    if isinstance(value, int | float | Decimal) and _is_number(value):
        return value
    return clean(str(value))


def clean(text: str) -> str:
    """Text that a cell can hold."""
    return NEVER_IN_A_CELL.sub("", text)[:LONGEST_TEXT]


def _is_number(value: float | Decimal) -> bool:
    """Whether a spreadsheet can keep it as it is."""
    exact = Decimal(value)
    return exact.is_finite() and (isinstance(value, float) or len(exact.as_tuple().digits) <= MOST_DIGITS)


def _write_xlsx(file: IO[bytes], header: Sequence[str], rows: Iterable[Row], zone: ZoneInfo) -> None:
    with Workbook(file, TEXT_ALONE) as book:
        sheet = book.add_worksheet()
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        sheet.freeze_panes(1, 0)
        widths = [len(name) for name in header]
        for column, name in enumerate(header):
            sheet.write_string(0, column, clean(name), book.add_format({"bold": True}))
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(plain(value, zone) for value in row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif isinstance(value, date):
                    sheet.write_datetime(number, column, value, moment if isinstance(value, datetime) else day)
                elif value is not None:
                    sheet.write_number(number, column, value)
                widths[column] = max(widths[column], len(str(value or "")))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(max(width, NARROWEST), WIDEST) + 1)


def _write_csv(file: IO[bytes], header: Sequence[str], rows: Iterable[Row], zone: ZoneInfo) -> None:
    """As a spreadsheet of the active language opens it: with its decimal sign, and the mark that says UTF-8."""
    comma = get_language() in COMMA_LANGUAGES
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    table = csv.writer(text, delimiter=";" if comma else ",")
    table.writerow([_harmless(clean(name)) for name in header])
    table.writerows([_as_text(plain(value, zone), comma=comma) for value in row] for row in rows)
    text.detach()


def _as_text(value: Plain, *, comma: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _harmless(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    number = f"{Decimal(str(value)):f}"
    return number.replace(".", ",") if comma else number


def _harmless(text: str) -> str:
    """A spreadsheet takes a text that begins like this for a formula, and computes it."""
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


XLSX = Kind("xlsx", "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _write_xlsx)
CSV = Kind("csv", "CSV", "text/csv; charset=utf-8", _write_csv)
KINDS = {kind.name: kind for kind in (XLSX, CSV)}
