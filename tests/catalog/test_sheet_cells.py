"""The cells of a file of costs: titles in three languages, amounts and days as people write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.cost_sheet import CostSheet
from apps.catalog.settings_sheet import SettingsSheet
from apps.catalog.sheet_cells import (
    Columns,
    find_columns,
    is_dash,
    read_amount,
    read_currency,
    read_day,
    read_percent,
    read_switch,
    read_whole,
    text_of,
)
from apps.catalog.sheet_import import Sheet
from apps.catalog.sheet_words import TITLES, Field
from apps.common.sheet_reader import SheetError, SheetRow

TODAY = date(2026, 3, 16)


def found(*rows: SheetRow, kind: type[Sheet] = CostSheet) -> Columns:
    return find_columns(rows, fields=kind.fields, needed=kind.values)


@pytest.mark.parametrize("kind", [CostSheet, SettingsSheet])
@pytest.mark.parametrize("language", ["ru", "uk", "en"])
def test_every_title_is_read_as_its_own_column(language: str, kind: type[Sheet]) -> None:
    for number in range(max(len(TITLES[field][language]) for field in kind.fields)):
        names = [TITLES[field][language] for field in kind.fields]
        titles = tuple(titles[min(number, len(titles) - 1)].capitalize() for titles in names)
        assert found(SheetRow(1, titles), kind=kind).places == {field: place for place, field in enumerate(kind.fields)}


def test_titles_are_found_beneath_a_heading_and_however_they_are_decorated() -> None:
    rows = [
        SheetRow(1, ("Прайс на март", None, None)),
        SheetRow(3, ("Название", "* Артикул", "Себестоимость, ₽")),
    ]
    columns = found(*rows)
    assert (columns.header_row, columns.places) == (3, {Field.OFFER_ID: 1, Field.AMOUNT: 2})


@pytest.mark.parametrize("titles", [("a", "b"), ("unit cost",), ("offer id", "SKU"), (7, 8)])
def test_a_file_without_the_needed_columns_says_which_they_are(titles: tuple[Any, ...]) -> None:
    with pytest.raises(SheetError, match=f"“unit cost”, as in the template.*{titles[0]}"):
        found(SheetRow(1, titles))


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1448", "1448"),
        ("1448.5", "1448.5"),
        ("1448,50", "1448.50"),
        ("1 448,00", "1448.00"),
        ("1\N{NO-BREAK SPACE}448,00", "1448.00"),
        ("12\N{NARROW NO-BREAK SPACE}001\N{NARROW NO-BREAK SPACE}448.1", "12001448.1"),
        ("1,448.00", "1448.00"),
        ("1.448,00", "1448.00"),
        ("1.234.448,05", "1234448.05"),
        (350, "350"),
        (350.30000000000001, "350.30"),
        (0.1 + 0.2, "0.30"),
    ],
)
def test_an_amount_is_read_as_people_write_it(cell: Any, amount: str) -> None:
    assert read_amount(cell) == Decimal(amount)


@pytest.mark.parametrize(
    "cell",
    [
        *("1,448", "1.448", "1 44", "44 8,00", "12 34,00", "-5", "0", "0,00", "1e5", "1448 руб", "#N/A", ""),
        *("١٢", "5,", ",5"),
        *("1000000000,01", None, -1, 0, 10.005, 1e300, -1e300, float("inf"), float("nan"), date(2026, 3, 1)),
    ],
)  # fmt: skip
def test_what_is_no_amount_or_could_be_two_is_not_guessed(cell: Any) -> None:
    assert read_amount(cell) is None


@given(st.integers(1, 10**11), st.sampled_from([" ", ",", ".", "\N{NO-BREAK SPACE}", ""]))
def test_every_amount_is_read_in_every_way_to_write_it(cents: int, group: str) -> None:
    whole, decimals = divmod(cents, 100)
    point = "," if group == "." else "."
    text = f"{whole:,}".replace(",", group) + f"{point}{decimals:02}"
    assert read_amount(text) == Decimal(cents) / 100


@pytest.mark.parametrize("cell", ["2026-03-01", "01.03.2026", date(2026, 3, 1)])
def test_a_day_is_read(cell: Any) -> None:
    assert read_day(cell, today=TODAY) == date(2026, 3, 1)


def test_without_a_day_a_cost_starts_today() -> None:
    assert read_day(None, today=TODAY) == read_day("", today=TODAY) == TODAY


@pytest.mark.parametrize("cell", ["03/01/2026", "31.02.2026", "soon", 46082, "1999-12-31", "2031-01-01"])
def test_what_is_no_day_that_a_cost_can_start_on_is_not_guessed(cell: Any) -> None:
    assert read_day(cell, today=TODAY) is None


@pytest.mark.parametrize("cell", ["RUB", "rub", "₽", "руб.", None, ""])
def test_the_shops_money_goes_by_many_names(cell: Any) -> None:
    assert read_currency(cell, expected="RUB") == "RUB"


def test_other_money_is_told() -> None:
    assert read_currency("usd", expected="RUB") == "USD"
    assert read_currency("грн", expected="RUB") == "UAH"


def test_an_id_of_digits_stays_an_id() -> None:
    assert [text_of(cell) for cell in (12345.0, 12345, " A-1 ", None)] == ["12345", "12345", "A-1", ""]


@pytest.mark.parametrize(
    ("cell", "rate"),
    [("15", "0.15"), ("12,5", "0.125"), ("15 %", "0.15"), ("15%", "0.15"), (15, "0.15"), (12.55, "0.1255"), (0, "0")],
)
def test_a_margin_is_read_in_percent(cell: Any, rate: str) -> None:
    assert read_percent(cell) == Decimal(rate)


@pytest.mark.parametrize("cell", [0.15, "0.15", "0,5 %", "-5", "many", "15 %%", None])
def test_what_may_be_a_share_as_well_as_a_percent_is_not_guessed(cell: Any) -> None:
    """A workbook keeps 0.15 of a cell that shows 15 %."""
    assert read_percent(cell) is None


@pytest.mark.parametrize(
    ("cell", "number"),
    [("12", 12), (12.0, 12), ("1 200", 1200), ("12,00", 12), ("12.5", None), (1.5, None), ("x", None)],
)
def test_a_count_is_whole(cell: Any, number: int | None) -> None:
    assert read_whole(cell) == number


def test_yes_and_no_are_read_in_three_languages_and_as_excel_writes_them() -> None:
    assert [read_switch(cell) for cell in ("Да", "так", "YES", "True", "ИСТИНА", 1)] == [True] * 6
    assert [read_switch(cell) for cell in ("нет", "Ні", "no", "False", "ЛОЖЬ", 0)] == [False] * 6
    assert [read_switch(cell) for cell in ("maybe", "", None, 2)] == [None] * 4


def test_a_dash_is_any_of_them() -> None:
    assert [is_dash(cell) for cell in ("-", "–", "—", "−", " - ")] == [True] * 5
    assert [is_dash(cell) for cell in ("", "--", "-5", None, 0)] == [False] * 5
