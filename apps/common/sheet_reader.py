"""Tables that people send, .xlsx and .csv, as rows of cells. What is too big, or is no table, is a `SheetError`.

Nothing in a file is trusted: not its name, its sizes, its dimensions, nor that it is what it looks like. The kind of a
file is told by its first bytes.
"""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from zipfile import BadZipFile, ZipFile

import openpyxl
from django.utils.translation import gettext_lazy as _

from apps.common import formats
from apps.common.errors import UserError
from apps.common.sheet_writer import clean
from apps.common.uploads import MOST_BYTES

Cell = str | int | float | date | None

MOST_ROWS = 20_000
MOST_COLUMNS = 60
MOST_UNPACKED = 32 * 2**20
MOST_TAGS = 1_500_000  # of all XML in the file: `<c/>` takes four bytes there, and hundreds in memory
LAST_ROW = 2**20  # of any spreadsheet; between two rows of a file may lie any number of empty ones
PART = 2**18

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")
DELIMITERS = ";\t,"
QUOTED = re.compile(r'"[^"]*"')
ESCAPED = re.compile(r"'(?=[=+\-@\t\r])")

log = logging.getLogger(__name__)


class SheetError(UserError):
    """The file cannot be read as a table; the message says why and what is accepted."""


@dataclass(frozen=True)
class SheetRow:
    """`number` is the row's own in the file, as a spreadsheet counts them."""

    number: int
    cells: tuple[Cell, ...]


def read_sheet(data: bytes) -> list[SheetRow]:
    """The rows of the table that are not empty: of a workbook those of its first sheet."""
    if len(data) > MOST_BYTES:
        raise SheetError(
            _("The file is larger than %(most)s MB: split it, or leave out what is not needed.")
            % {"most": formats.whole(MOST_BYTES // 2**20)}
        )
    if data.startswith(OLD_EXCEL):
        raise SheetError(
            _("This is an old .xls file, or one with a password: save it as .xlsx or .csv without a password.")
        )
    rows = _workbook_rows(data) if data.startswith(ZIP) else _text_rows(data)
    filled = list(islice(_filled(rows), MOST_ROWS + 1))
    if not filled:
        raise SheetError(_("The file is empty: there is no row in it."))
    if len(filled) > MOST_ROWS:
        raise SheetError(_("The file has more than %(most)s rows: split it.") % {"most": formats.whole(MOST_ROWS)})
    return filled


def _filled(rows: Iterable[tuple[Cell, ...]]) -> Iterator[SheetRow]:
    for number, cells in enumerate(islice(rows, LAST_ROW), start=1):
        if any(cell is not None and cell != "" for cell in cells):
            yield SheetRow(number, cells)


# --- Workbooks --------------------------------------------------------------------------------------------------------


def _workbook_rows(data: bytes) -> Iterator[tuple[Cell, ...]]:
    try:
        _check_unpacked(data)
        with closing(openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            for cells in sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True):
                yield () if cells.count(None) == len(cells) else tuple(_cell(value) for value in cells)
    except SheetError:
        raise
    except Exception as error:  # a broken workbook raises whatever the first broken place in it leads to
        log.info("An uploaded workbook cannot be read", exc_info=True)
        raise SheetError(
            _("The file looks like a workbook but cannot be read: open it in Excel and save it as .xlsx again.")
        ) from error


def _check_unpacked(data: bytes) -> None:
    """Unpack it once, keeping nothing, while it stays within bounds: what a zip says of its sizes may be a lie."""
    size = tags = 0
    with ZipFile(io.BytesIO(data)) as archive:
        if "[Content_Types].xml" not in archive.namelist():
            raise BadZipFile("not a workbook")
        for part in archive.infolist():
            with archive.open(part) as file:
                while chunk := file.read(PART):
                    size += len(chunk)
                    tags += chunk.count(b"<")
                    if size > MOST_UNPACKED or tags > MOST_TAGS:
                        raise SheetError(
                            _("Unpacked, the file is too large: leave only the rows and columns that are needed.")
                        )


def _cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else str(value)
    if isinstance(value, str):
        return clean(value).strip()
    if value is None or (isinstance(value, int | float | date) and not isinstance(value, bool)):
        return value
    return str(value)


# --- Text -------------------------------------------------------------------------------------------------------------


def _text_rows(data: bytes) -> Iterator[tuple[Cell, ...]]:
    text = _decoded(data)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for cells in table:
            yield tuple(ESCAPED.sub("", cell.strip(), count=1) for cell in cells[:MOST_COLUMNS])
    except csv.Error as error:
        raise SheetError(
            _("Row %(number)s of the file cannot be read: its quotation marks do not match.")
            % {"number": table.line_num}
        ) from error


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-16") if data.startswith(UTF_16) else _of_bytes(data)
    except UnicodeDecodeError:
        text = "\0"
    if NOT_TEXT.search(text):
        raise SheetError(_("This is not a table: send an .xlsx or a .csv file."))
    return text


def _of_bytes(data: bytes) -> str:
    """UTF-8, or else what Excel writes on a machine that speaks Russian or Ukrainian."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251")


def _delimiter(text: str) -> str:
    """The sign that the first filled line has most of, outside of quotation marks."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    bare = QUOTED.sub("", first)
    return max(DELIMITERS, key=bare.count)
