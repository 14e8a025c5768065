"""Tables from people's files: read as they are meant, and refused in words when they are too big or no tables."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Iterable
from datetime import date, datetime
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.sheet_reader import MOST_COLUMNS, MOST_ROWS, SheetError, SheetRow, read_sheet
from apps.common.uploads import MOST_BYTES

HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
CELL = b'<row r="1"><c r="A1" t="inlineStr"><is><t>mug</t></is></c></row>'
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
OLD_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
MORE_MEMORY_MB, SECONDS = 150, 60


def workbook(*rows: Iterable[object]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def with_sheet(*parts: bytes) -> bytes:
    """A workbook whose sheet is this XML."""
    file = io.BytesIO()
    with ZipFile(io.BytesIO(workbook(["a"]))) as real, ZipFile(file, "w", ZIP_DEFLATED) as made:
        for name in real.namelist():
            with made.open(name, "w") as part:
                for chunk in parts if name == "xl/worksheets/sheet1.xml" else [real.read(name)]:
                    part.write(chunk)
    return file.getvalue()


def cells(data: bytes) -> list[tuple[object, ...]]:
    return [tuple(cell for cell in row.cells if cell is not None) for row in read_sheet(data)]


def test_a_workbook_is_read_with_its_numbers_and_days() -> None:
    assert cells(workbook(["mug", 350.5, 7, datetime(2026, 3, 1)], ["  cup ", True])) == [  # noqa: DTZ001
        ("mug", 350.5, 7, date(2026, 3, 1)),
        ("cup", "True"),
    ]


def test_rows_keep_the_numbers_that_a_spreadsheet_shows() -> None:
    assert [row.number for row in read_sheet(workbook(["a"], [], [""], ["b"]))] == [1, 4]
    assert [row.number for row in read_sheet(b"a;1\r\n\r\n;\r\nb;2\r\n")] == [1, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_text_is_read_in_every_encoding_and_with_every_sign(encoding: str, sign: str) -> None:
    text = f'артикул{sign}ціна\r\n"кружка{sign} біла"{sign}7\r\n'
    assert cells(text.encode(encoding)) == [("артикул", "ціна"), (f"кружка{sign} біла", "7")]


def test_decimal_commas_do_not_make_columns() -> None:
    assert cells("артикул;цена;вес, кг\nA-1;1 448,00;0,5\n".encode()) == [
        ("артикул", "цена", "вес, кг"), ("A-1", "1 448,00", "0,5")
    ]  # fmt: skip


def test_a_sign_that_keeps_a_text_from_being_a_formula_is_taken_off_again() -> None:
    assert read_sheet(b"id,cost\n'-5A,7\n'quoted',8\n")[1:] == [
        SheetRow(2, ("-5A", "7")), SheetRow(3, ("'quoted'", "8"))
    ]  # fmt: skip


def test_columns_far_to_the_right_are_passed_over() -> None:
    (row,) = read_sheet(workbook(range(MOST_COLUMNS + 5)))
    assert len(row.cells) == MOST_COLUMNS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n;;\n", "is empty"),
        (workbook(), "is empty"),
        (PNG, r"not a table: send an .xlsx or a .csv"),
        (b"%PDF-1.7\x00\x01", "not a table"),
        (b"\x98", "not a table"),
        (OLD_XLS, r"old .xls file"),
        (b"PK\x03\x04 and then nothing", "cannot be read"),
        (workbook(["a"])[:-200], "cannot be read"),
        (with_sheet(HEAD, b"<row><c"), "cannot be read"),
        (b"a" * (MOST_BYTES + 1), "larger than 5 MB"),
        (b"a;b\n" * (MOST_ROWS + 1), "more than 20,000 rows"),
        (b'a;b\n"open;1\n', "quotation marks do not match"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(SheetError, match=words):
        read_sheet(data)


def test_a_zip_of_something_else_is_refused() -> None:
    file = io.BytesIO()
    with ZipFile(file, "w") as made:
        made.writestr("photo.jpg", "x")
    with pytest.raises(SheetError, match="cannot be read"):
        read_sheet(file.getvalue())


def test_entities_are_not_unfolded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]>' + HEAD[21:] + CELL + TAIL
    with pytest.raises(SheetError, match="cannot be read"):
        read_sheet(with_sheet(bomb))


BOMBS = {
    "a gigabyte of blanks": (HEAD, *[b" " * 2**20] * 1024, TAIL),
    "every row that a spreadsheet has": (HEAD, *[b"<row><c><v>1</v></c></row>" * 1024] * 1024, TAIL),
    "a row of a million cells": (HEAD, b"<row>", *[b"<c/>" * 1000] * 2000, b"</row>", TAIL),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if "gigabyte" in name else []) for name in BOMBS]
)
def test_a_bomb_is_refused_soon_and_costs_little_memory(name: str) -> None:
    data = with_sheet(*BOMBS[name])
    assert len(data) < MOST_BYTES
    before, began = peak_mb(), time.monotonic()
    with pytest.raises(SheetError, match="too large"):
        read_sheet(data)
    assert peak_mb() - before < MORE_MEMORY_MB
    assert time.monotonic() - began < SECONDS


def test_a_row_that_claims_to_be_far_away_does_not_hold_up_the_reading() -> None:
    began = time.monotonic()
    rows = read_sheet(with_sheet(HEAD, CELL, b'<row r="99999999999"><c><v>1</v></c></row>', TAIL))
    assert [row.number for row in rows] == [1]
    assert time.monotonic() - began < SECONDS


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(data: bytes) -> object:
    """The rows, or the words of the refusal; anything else that is raised fails the test."""
    try:
        return read_sheet(data)
    except SheetError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    assert outcome(data)


GOOD = workbook(["offer id", "unit cost"], ["MUG-1", 350])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(4, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_workbook_with_wrong_bytes_is_read_or_refused_in_words(wrong: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in wrong:
        data[place] = value
    assert outcome(bytes(data))
