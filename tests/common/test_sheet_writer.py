"""Tables that people take away: numbers and days as such, and of no text a formula."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.sheet_writer import CSV, LONGEST_TEXT, XLSX, written

MOSCOW = ZoneInfo("Europe/Moscow")
NIGHT = datetime(2026, 3, 16, 22, 30, 59, tzinfo=UTC)
FORMULAS = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x","y")']


def as_xlsx(*values: object) -> list[Any]:
    """The cells as openpyxl reads them again."""
    with written(XLSX, ["column"] * len(values), [values], zone=MOSCOW) as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read()))
    return list(book.worksheets[0][2])


def as_csv(*values: object, language: str = "en") -> list[str]:
    with translation.override(language), written(CSV, ["column"] * len(values), [values], zone=MOSCOW) as file:
        text = file.read().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if language != "en" else ","))[1]


def test_numbers_days_and_moments_stay_what_they_are() -> None:
    cells = as_xlsx(Decimal("1448.50"), 7, -0.5, date(2026, 3, 1), NIGHT, None, True)
    assert [cell.value for cell in cells] == [
        1448.5, 7, -0.5, datetime(2026, 3, 1), datetime(2026, 3, 17, 1, 30, 59), None, "yes"  # noqa: DTZ001
    ]  # fmt: skip
    assert [cell.number_format for cell in cells[3:5]] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm"]


def test_a_csv_has_the_decimal_sign_of_its_reader() -> None:
    values = (Decimal("1448.50"), -60, 1e-7, date(2026, 3, 1), NIGHT, None)
    assert as_csv(*values) == ["1448.50", "-60", "0.0000001", "2026-03-01", "2026-03-17 01:30", ""]
    assert as_csv(*values, language="ru")[:2] == ["1448,50", "-60"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(text: str) -> None:
    (cell,) = as_xlsx(text)
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert as_csv(text)[0].startswith("'")


def test_no_title_becomes_a_formula_either() -> None:
    with written(CSV, ["=1+1"], [], zone=MOSCOW) as file:
        assert file.read().decode("utf-8-sig").startswith("'=1+1")


def test_what_no_cell_can_hold_is_left_out() -> None:
    (cell, long) = as_xlsx("a\x00b\x1b\ud800c", "x" * 40_000)
    assert cell.value == "abc"
    assert len(long.value) == LONGEST_TEXT


@pytest.mark.parametrize("number", [Decimal("NaN"), float("inf"), 12345678901234567, Decimal("1234567890.123456")])
def test_a_number_that_a_spreadsheet_would_spoil_goes_in_as_text(number: Any) -> None:
    (cell,) = as_xlsx(number)
    assert (cell.data_type, cell.value) == ("s", str(number))


@settings(deadline=None, max_examples=30)  # a whole file is written for each
@given(st.text(max_size=50))
def test_whatever_the_text_the_file_opens_and_holds_no_formula(text: str) -> None:
    with written(XLSX, ["column"], [[text]], zone=MOSCOW) as file, ZipFile(file) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert as_xlsx(text)[0].data_type in ("s", "n")


def test_a_table_that_fails_halfway_is_not_handed_out() -> None:
    def rows() -> Any:
        yield ["first"]
        raise RuntimeError("the database went away")

    for kind in (XLSX, CSV):
        with pytest.raises(RuntimeError, match="went away"):
            written(kind, ["column"], rows(), zone=MOSCOW)
