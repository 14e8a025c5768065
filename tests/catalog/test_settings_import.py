"""Product settings from a file: empty leaves, a dash clears, and a large change waits for a tick."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import CostImport, Product, ProductSettings, SettingsImport
from apps.catalog.product_settings import Values, set_settings, values_of
from apps.catalog.settings_sheet import SettingsSheet
from apps.catalog.sheet_import import Change, Fate, Import, Line, Outcome, enter_import, lines_of, prepare_import
from apps.catalog.sheet_words import Field
from apps.common.errors import NotFound
from apps.common.sheet_reader import SheetRow, read_sheet
from apps.common.sheet_writer import XLSX, written
from apps.shops.models import AuditEntry, Member
from tests import cast
from tests.database import analyse

pytestmark = pytest.mark.django_db

D = Decimal
TODAY = date(2026, 3, 16)
TITLES = ("offer id", "lowest price", "highest price", "minimum margin, %", "repricing", "lead time", "pack", "moq")


@pytest.fixture
def anna() -> Member:
    member = cast.anna()
    for number, offer_id in enumerate(("MUG", "CUP", "POT"), start=1):
        Product.objects.create(
            shop=member.seller.shops.get(), external_id=offer_id, offer_id=offer_id, sku=100 + number,
            name=offer_id.title(), currency="RUB",
        )  # fmt: skip
    return member


def product(offer_id: str) -> Product:
    return Product.objects.get(offer_id=offer_id)


def say(offer_id: str, **values: Any) -> None:
    set_settings(product=product(offer_id), values={Field(name): value for name, value in values.items()}, by=None)


def said(offer_id: str) -> Values:
    """What is set, without what is not."""
    row = ProductSettings.objects.filter(product__offer_id=offer_id).first()
    return {field: value for field, value in values_of(row).items() if value is not None} if row else {}


def read(member: Member, *rows: Sequence[Any], titles: Sequence[str] = TITLES) -> Import:
    sheet = [SheetRow(1, tuple(titles)), *(SheetRow(number, tuple(row)) for number, row in enumerate(rows, start=2))]
    shop = member.seller.shops.get()
    return prepare_import(
        SettingsSheet, shop=shop, rows=sheet, file_name="settings.xlsx", by=member.person, today=TODAY
    )


def enter(found: Import, by: Member, *, ticked: Sequence[int] = ()) -> Outcome:
    return enter_import(SettingsSheet, import_id=found.pk, ticked=ticked, by=by)


def fates(found: Import) -> list[Fate]:
    return [line.fate for line in lines_of(found)]


def only_line(found: Import) -> Line:
    (line,) = lines_of(found)
    return line


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_a_row_shows_each_setting_that_it_changes(anna: Member) -> None:
    say("MUG", min_price=D(900), lead_days=D(10), pack_size=D(12))
    line = only_line(read(anna, ("MUG", 950, 1200, 15, "no", "", "-", None)))
    assert line.fate == Fate.CHANGED
    assert line.told == (
        Change(Field.MIN_PRICE, D(900), D(950)),
        Change(Field.MAX_PRICE, None, D(1200)),
        Change(Field.MIN_MARGIN, None, D("0.15")),
        Change(Field.IS_REPRICED, None, False),
        Change(Field.PACK_SIZE, D(12), None),
    )


def test_a_file_of_what_holds_already_changes_nothing(anna: Member) -> None:
    say("MUG", min_price=D(900), min_margin_rate=D("0.155"), is_repriced=True, lead_days=D(10))
    found = read(anna, ("MUG", "900,00", "-", "15,5 %", "да", 10.0), ("CUP", "-", "—"))
    assert fates(found) == [Fate.UNCHANGED, Fate.UNCHANGED]


def test_an_empty_row_says_nothing(anna: Member) -> None:
    assert fates(read(anna, ("MUG", None, "", None), ("CUP",))) == [Fate.BLANK, Fate.BLANK]


def test_what_is_said_for_the_first_time_is_new(anna: Member) -> None:
    assert fates(read(anna, ("MUG", 900), ("CUP", None, None, None, None, 21))) == [Fate.NEW, Fate.NEW]


@pytest.mark.parametrize(
    ("column", "before", "after", "fate"),
    [
        (1, D(1000), 1200, Fate.CHANGED),
        (1, D(1000), "1200,01", Fate.HELD),
        (1, D(1000), 800, Fate.CHANGED),
        (1, D(1000), 799, Fate.HELD),
        (3, D("0.10"), 12, Fate.CHANGED),
        (3, D("0.10"), 13, Fate.HELD),
        (3, D(0), 1, Fate.HELD),
        (5, D(10), 12, Fate.CHANGED),
        (5, D(10), 13, Fate.HELD),
        (6, D(10), "-", Fate.CHANGED),
        (4, True, "no", Fate.CHANGED),
    ],
)
def test_a_change_beyond_a_fifth_is_held(anna: Member, column: int, before: Any, after: Any, fate: Fate) -> None:
    fields = (None, "min_price", "max_price", "min_margin_rate", "is_repriced", "lead_days", "pack_size", "min_order")
    say("MUG", **{str(fields[column]): before})
    assert fates(read(anna, ("MUG", *[None] * (column - 1), after))) == [fate]


def test_one_large_change_holds_its_whole_row(anna: Member) -> None:
    say("MUG", min_price=D(100), lead_days=D(10))
    found = read(anna, ("MUG", 1000, None, None, None, 11))
    assert fates(found) == [Fate.HELD]
    assert enter(found, anna) == Outcome(entered=0, moved=0, held_back=1)
    assert said("MUG") == {Field.MIN_PRICE: D(100), Field.LEAD_DAYS: D(10)}


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        (("JUG", 5), "offer_id", "no product with the offer id “JUG”"),
        (("MUG", "1,448"), "min_price", "“1,448” is not an amount"),
        (("MUG", None, "=1+1"), "max_price", "“=1+1” is not an amount"),
        (("MUG", None, None, 0.15), "min_margin_rate", "“0.15” is not a margin in percent"),
        (("MUG", None, None, 95), "min_margin_rate", "from 1 to 90"),
        (("MUG", None, None, None, "maybe"), "is_repriced", "neither yes nor no"),
        (("MUG", None, None, None, None, 400), "lead_days", "from 1 to 365"),
        (("MUG", None, None, None, None, None, 1.5), "pack_size", "“1.5” is not a number of pieces"),
        (("MUG", 1000, 999), "max_price", "The highest price, 999.00, is below the lowest, 1000.00"),
    ],
)
def test_a_wrong_row_says_in_which_field_and_what_is_accepted(
    anna: Member, row: tuple[Any, ...], field: str, words: str
) -> None:
    line = only_line(read(anna, row))
    assert line.fate == Fate.WRONG
    assert [(problem.field, words in str(problem)) for problem in line.problems] == [(field, True)]
    assert line.cells == row


def test_a_bound_is_held_against_what_is_set_already(anna: Member) -> None:
    say("MUG", min_price=D(1000))
    say("CUP", min_price=D(1000))
    found = read(anna, ("MUG", None, 900), ("CUP", "-", 900))
    assert fates(found) == [Fate.WRONG, Fate.CHANGED]


def test_other_money_than_the_shops_is_refused(anna: Member) -> None:
    found = read(anna, ("MUG", 900, "USD"), titles=("offer id", "lowest price", "currency"))
    assert [problem.field for problem in only_line(found).problems] == [Field.CURRENCY]


def test_of_two_rows_of_a_product_the_second_names_the_first(anna: Member) -> None:
    first, second = lines_of(read(anna, ("MUG", 900), ("MUG", 901)))
    assert (first.fate, second.fate) == (Fate.NEW, Fate.WRONG)
    assert str(second.problems[0]) == "Row 2 has the same product: keep one of the two."


# --- What is entered --------------------------------------------------------------------------------------------------


def test_one_press_enters_what_was_shown_and_ticked(anna: Member) -> None:
    say("MUG", min_price=D(100), pack_size=D(12))
    say("CUP", min_price=D(100))
    found = read(anna, ("MUG", 1000, None, None, None, None, "-"), ("CUP", 1000), ("POT", None, None, 15))
    assert enter(found, anna, ticked=[2]) == Outcome(entered=2, moved=0, held_back=1)
    assert said("MUG") == {Field.MIN_PRICE: D(1000)}
    assert said("CUP") == {Field.MIN_PRICE: D(100)}
    assert said("POT") == {Field.MIN_MARGIN: D("0.15")}


def test_clearing_all_that_was_set_leaves_no_row(anna: Member) -> None:
    say("MUG", min_price=D(100))
    enter(read(anna, ("MUG", "-")), anna)
    assert not ProductSettings.objects.exists()


def test_each_product_and_the_file_leave_a_row_in_the_trail(anna: Member) -> None:
    say("MUG", min_price=D(900))
    enter(read(anna, ("MUG", 950, None, None, "no")), anna)
    entry = AuditEntry.objects.filter(action="product_settings.set").latest("pk")
    assert entry.data == {"min_price": ["900.00", "950.00"], "is_repriced": [None, "False"]}
    assert (entry.actor, entry.subject) == (anna.person, f"catalog.product:{product('MUG').pk}")
    entry = AuditEntry.objects.get(action="product_settings.imported")
    assert entry.data == {"file": "settings.xlsx", "entered": 1, "moved": 0, "held_back": 0}


def test_what_was_changed_in_between_stays_and_is_said(anna: Member) -> None:
    say("MUG", min_price=D(900))
    found = read(anna, ("MUG", 950), ("CUP", 500))
    say("MUG", min_price=D(920))
    assert enter(found, anna) == Outcome(entered=1, moved=1, held_back=0)
    assert said("MUG") == {Field.MIN_PRICE: D(920)}


def test_a_bound_set_in_between_that_leaves_no_room_is_the_newer_word(anna: Member) -> None:
    found = read(anna, ("MUG", None, 900))
    say("MUG", min_price=D(1000))
    assert enter(found, anna) == Outcome(entered=0, moved=1, held_back=0)
    assert said("MUG") == {Field.MIN_PRICE: D(1000)}


def test_another_setting_changed_in_between_is_left_alone(anna: Member) -> None:
    found = read(anna, ("MUG", 900))
    say("MUG", lead_days=D(5))
    assert enter(found, anna).entered == 1
    assert said("MUG") == {Field.MIN_PRICE: D(900), Field.LEAD_DAYS: D(5)}


def test_a_file_of_settings_is_no_file_of_costs(anna: Member) -> None:
    found = read(anna, ("MUG", 900))
    assert isinstance(found, SettingsImport)
    assert not CostImport.objects.exists()
    with pytest.raises(NotFound):
        enter(found, cast.boris())


def test_what_holds_now_is_a_file_that_changes_nothing(anna: Member) -> None:
    say("MUG", min_price=D(900), min_margin_rate=D("0.155"), is_repriced=False, min_order=D(24))
    titles = ("offer id", "sku", "lowest price", "highest price", "currency", *TITLES[3:])
    rows = SettingsSheet(anna.seller.shops.get()).rows(today=TODAY)
    with written(XLSX, titles, rows, zone=ZoneInfo("Europe/Moscow")) as file:
        _, *rows_read = read_sheet(file.read())
    found = read(anna, *(row.cells for row in rows_read), titles=titles)
    assert sorted(fates(found)) == [Fate.BLANK, Fate.BLANK, Fate.UNCHANGED]


def test_many_rows_take_as_many_statements_as_a_few(anna: Member) -> None:
    shop = anna.seller.shops.get()
    Product.objects.bulk_create(
        Product(shop=shop, external_id=str(number), offer_id=f"P-{number}", name="P", currency="RUB")
        for number in range(1500)
    )
    say("MUG", lead_days=D(5))
    analyse(ProductSettings)
    few, many = [[(f"P-{number}", 5) for number in range(start, end)] for start, end in ((0, 3), (3, 1500))]

    def statements(rows: list[tuple[Any, ...]]) -> int:
        with CaptureQueriesContext(connection) as queries:
            enter(read(anna, *rows), anna)
        return len(queries)

    assert statements(few) == statements(many) < 40
    assert ProductSettings.objects.count() == 1 + 1500
