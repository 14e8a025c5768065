"""Costs from a file: what it would change is shown, and with a person's yes exactly that is entered, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.cost_sheet import CostSheet
from apps.catalog.costs import set_cost
from apps.catalog.models import Cost, CostImport, Product
from apps.catalog.sheet_import import Change, Fate, Import, Line, Outcome, enter_import, lines_of, prepare_import
from apps.catalog.sheet_words import Field
from apps.common.clock import real_now
from apps.common.errors import Denied, NotFound, Refused
from apps.common.sheet_reader import SheetError, SheetRow
from apps.shops.models import AuditEntry, Member
from apps.shops.roles import Role
from tests import cast
from tests.database import analyse
from tests.threads import at_once

pytestmark = pytest.mark.django_db

JANUARY, MARCH, TODAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 16)
TITLES = ("offer id", "sku", "unit cost", "currency", "from")


@pytest.fixture
def anna() -> Member:
    return with_products(cast.anna(), "MUG", "CUP", "POT")


def with_products(member: Member, *offer_ids: str) -> Member:
    shop = member.seller.shops.get()
    for number, offer_id in enumerate(offer_ids, start=1):
        Product.objects.create(
            shop=shop, external_id=offer_id, offer_id=offer_id, sku=100 + number, name=offer_id.title(), currency="RUB"
        )
    return member


def costs(member: Member, **amounts: int) -> None:
    for offer_id, amount in amounts.items():
        set_cost(
            product=Product.objects.get(shop__seller=member.seller, offer_id=offer_id),
            amount=Decimal(amount),
            currency="RUB",
            starts_on=JANUARY,
            by=member.person,
        )


def read(member: Member, *rows: Sequence[Any]) -> Import:
    sheet = [SheetRow(1, TITLES), *(SheetRow(number, tuple(row)) for number, row in enumerate(rows, start=2))]
    return prepare_import(
        CostSheet, shop=member.seller.shops.get(), rows=sheet, file_name="costs.xlsx", by=member.person, today=TODAY
    )


def enter(found: Import, by: Member, *, ticked: Sequence[int] = ()) -> Outcome:
    return enter_import(CostSheet, import_id=found.pk, ticked=ticked, by=by)


def fates(found: Import) -> list[Fate]:
    return [line.fate for line in lines_of(found)]


def only_line(found: Import) -> Line:
    (line,) = lines_of(found)
    return line


def only_change(line: Line) -> Change:
    (change,) = line.changes
    return change


def in_force(offer_id: str, day: date = TODAY) -> object:
    return Product.objects.get(offer_id=offer_id).cost_on(day)


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_each_row_says_what_it_would_change(anna: Member) -> None:
    costs(anna, MUG=100, CUP=100)
    found = read(anna, ("MUG", None, 110), ("CUP", None, 100), ("POT", None, "1 448,50"))
    assert fates(found) == [Fate.CHANGED, Fate.UNCHANGED, Fate.NEW]
    changed, _, new = lines_of(found)
    assert (changed.number, only_change(changed)) == (2, Change(Field.AMOUNT, Decimal(100), Decimal(110)))
    assert only_change(changed).rate == Decimal("0.1")
    assert (new.label, new.starts_on) == ("POT · Pot", TODAY)
    assert only_change(new) == Change(Field.AMOUNT, None, Decimal("1448.50"))


@pytest.mark.parametrize(("amount", "fate"), [(120, Fate.CHANGED), ("120,01", Fate.HELD), (80, Fate.CHANGED)])
def test_a_change_beyond_a_fifth_is_held(anna: Member, amount: Any, fate: Fate) -> None:
    costs(anna, MUG=100)
    assert fates(read(anna, ("MUG", None, amount))) == [fate]


def test_how_large_a_change_is_held_is_a_setting(anna: Member, settings: Any) -> None:
    settings.HELD_CHANGE_RATE = Decimal("0.05")
    costs(anna, MUG=100)
    assert fates(read(anna, ("MUG", None, 106))) == [Fate.HELD]


def test_a_product_is_named_by_its_sku_too(anna: Member) -> None:
    assert fates(read(anna, (None, 101, 5), ("CUP", "102", 5), ("", 103.0, 5))) == [Fate.NEW] * 3


def test_a_row_without_a_cost_says_nothing(anna: Member) -> None:
    found = read(anna, ("MUG", None, None), ("CUP", None, ""))
    assert fates(found) == [Fate.BLANK, Fate.BLANK]
    assert enter(found, anna).entered == 0


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ((None, None, 5), "offer_id", "Neither an offer id nor a SKU"),
        (("JUG", None, 5), "offer_id", "no product with the offer id “JUG”"),
        (("MUG", 999, 5), "sku", "no product with the SKU “999”"),
        (("MUG", 102, 5), "sku", "another product than the offer id"),
        (("MUG", None, "1,448"), "amount", "“1,448” is not an amount"),
        (("MUG", None, 0), "amount", "“0” is not an amount"),
        (("MUG", None, 5, "USD"), "currency", "“USD” is not the shop's money: leave it empty, or give RUB"),
        (("MUG", None, 5, None, "soon"), "starts_on", "“soon” is not a day"),
    ],
)
def test_a_wrong_row_says_in_which_field_and_what_is_accepted(
    anna: Member, row: tuple[Any, ...], field: str, words: str
) -> None:
    line = only_line(read(anna, row))
    assert line.fate == Fate.WRONG
    assert [(problem.field, words in str(problem)) for problem in line.problems] == [(field, True)]
    assert line.cells == row


def test_a_row_says_all_that_is_wrong_with_it(anna: Member) -> None:
    line = only_line(read(anna, ("JUG", None, "x", "USD", "soon")))
    assert [problem.field for problem in line.problems] == ["offer_id", "amount", "currency", "starts_on"]


def test_of_two_rows_for_one_day_the_second_names_the_first(anna: Member) -> None:
    first, second = lines_of(read(anna, ("MUG", None, 5), ("MUG", 101, 6)))
    assert (first.fate, second.fate) == (Fate.NEW, Fate.WRONG)
    assert "Row 2 has the same product" in str(second.problems[0])


def test_an_offer_id_of_two_products_is_not_guessed(anna: Member) -> None:
    shop = anna.seller.shops.get()
    Product.objects.create(shop=shop, external_id="2", offer_id="MUG", sku=201, name="Mug", currency="RUB")
    found = read(anna, ("MUG", None, 5), ("MUG", 201, 6))
    assert fates(found) == [Fate.WRONG, Fate.NEW]
    assert "give the SKU as well" in str(lines_of(found)[0].problems[0])


def test_a_product_of_another_seller_is_not_there(anna: Member) -> None:
    with_products(cast.boris(), "LAMP")
    assert fates(read(anna, ("LAMP", None, 5))) == [Fate.WRONG]


def test_a_file_of_titles_alone_is_refused(anna: Member) -> None:
    with pytest.raises(SheetError, match="no row beneath"):
        read(anna)


# --- What is entered --------------------------------------------------------------------------------------------------


def test_one_press_enters_all_that_was_shown(anna: Member) -> None:
    costs(anna, MUG=100)
    outcome = enter(read(anna, ("MUG", None, 110, "RUB", "2026-03-01"), ("CUP", None, 7)), anna)
    assert outcome == Outcome(entered=2, moved=0, held_back=0)
    assert (in_force("MUG", JANUARY), in_force("MUG", MARCH), in_force("CUP")) == (100, 110, 7)
    cost = Cost.objects.get(product__offer_id="CUP")
    assert (cost.currency, cost.starts_on, cost.entered_by) == ("RUB", TODAY, anna.person)


def test_each_cost_and_the_file_leave_a_row_in_the_trail(anna: Member) -> None:
    costs(anna, MUG=100)
    found = read(anna, ("MUG", None, 110))
    enter(found, anna)
    entry = AuditEntry.objects.filter(action="cost.set").latest("pk")
    assert entry.data == {"amount": "110.00", "previous": "100.00", "currency": "RUB", "starts_on": "2026-03-16"}
    assert (entry.actor, entry.seller, entry.subject) == (
        anna.person, anna.seller, f"catalog.product:{Product.objects.get(offer_id='MUG').pk}"
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="cost.imported")
    assert entry.data == {"file": "costs.xlsx", "entered": 1, "moved": 0, "held_back": 0}


def test_of_large_changes_only_those_that_were_ticked(anna: Member) -> None:
    costs(anna, MUG=100, CUP=100)
    found = read(anna, ("MUG", None, 200), ("CUP", None, 1), ("POT", None, 3))
    assert enter(found, anna, ticked=[2]) == Outcome(entered=2, moved=0, held_back=1)
    assert (in_force("MUG"), in_force("CUP"), in_force("POT")) == (200, 100, 3)


def test_a_tick_on_what_is_wrong_or_not_there_enters_nothing(anna: Member) -> None:
    assert enter(read(anna, ("JUG", None, 5)), anna, ticked=[2, 77]).entered == 0
    assert not Cost.objects.exists()


def test_a_cost_that_was_changed_in_between_stays_and_is_said(anna: Member) -> None:
    costs(anna, MUG=100, CUP=100, POT=100)
    found = read(anna, ("MUG", None, 110), ("CUP", None, 110), ("POT", None, 100))
    costs(anna, MUG=105, POT=90)
    assert enter(found, anna) == Outcome(entered=1, moved=2, held_back=0)
    assert (in_force("MUG"), in_force("CUP"), in_force("POT")) == (105, 110, 90)
    found.refresh_from_db()
    assert fates(found) == [Fate.MOVED, Fate.ENTERED, Fate.MOVED]


def test_a_product_that_is_gone_is_left_out(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110))
    Product.objects.get(offer_id="MUG").delete()
    assert enter(found, anna) == Outcome(entered=0, moved=1, held_back=0)


def test_a_second_press_enters_nothing(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110))
    enter(found, anna)
    with pytest.raises(Refused, match="entered already"):
        enter(found, anna)
    assert AuditEntry.objects.filter(action="cost.set").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_presses_at_once_one_enters(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110))

    outcomes = at_once(*[lambda: enter(found, anna)] * 4)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Refused)] == [Outcome(1, 0, 0)]
    assert AuditEntry.objects.filter(action="cost.set").count() == 1


def test_a_comparison_that_is_too_old_enters_nothing(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110))
    CostImport.objects.update(expires_at=real_now() - timedelta(seconds=1))
    with pytest.raises(Refused, match="too old"):
        enter(found, anna)


def test_old_files_go_when_the_next_one_comes(anna: Member) -> None:
    read(anna, ("MUG", None, 110))
    CostImport.objects.update(expires_at=real_now() - timedelta(days=31))
    kept = read(anna, ("MUG", None, 110))
    assert list(CostImport.objects.all()) == [kept]


def test_a_viewer_enters_nothing(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110))
    with pytest.raises(Denied):
        enter(found, cast.member(anna.seller, "Vera", Role.VIEWER))


def test_a_file_of_another_seller_is_not_there(anna: Member) -> None:
    with pytest.raises(NotFound):
        enter(read(anna, ("MUG", None, 110)), cast.boris())


def test_when_the_trail_cannot_be_written_nothing_is_entered(anna: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no trail")

    found = read(anna, ("MUG", None, 110))
    monkeypatch.setattr("apps.catalog.sheet_import.record", fail)
    with pytest.raises(RuntimeError, match="no trail"):
        enter(found, anna)
    assert not Cost.objects.exists()
    found.refresh_from_db()
    assert found.state == CostImport.State.WAITING


def test_a_later_row_that_repeats_todays_cost_ends_the_one_before_it(anna: Member) -> None:
    costs(anna, MUG=100)
    enter(read(anna, ("MUG", None, 110, None, "2026-03-01"), ("MUG", None, 100, None, "2026-03-10")), anna)
    assert (in_force("MUG", date(2026, 3, 5)), in_force("MUG")) == (110, 100)


def test_what_was_entered_is_unchanged_when_the_file_comes_again(anna: Member) -> None:
    costs(anna, MUG=100)
    rows = [("MUG", None, 110, None, "2026-03-01"), ("MUG", None, 100, None, "2026-03-10")]
    enter(read(anna, *rows), anna)
    assert fates(read(anna, *rows)) == [Fate.UNCHANGED, Fate.UNCHANGED]


def test_many_rows_take_as_many_statements_as_a_few(anna: Member) -> None:
    shop = anna.seller.shops.get()
    Product.objects.bulk_create(
        Product(shop=shop, external_id=str(number), offer_id=f"P-{number}", name="P", currency="RUB")
        for number in range(1500)
    )
    costs(anna, MUG=100)
    analyse(Cost)
    few, many = [
        [(f"P-{number}", None, 5 + start) for number in range(start, end)] for start, end in ((0, 3), (3, 1500))
    ]

    def statements(rows: list[tuple[Any, ...]]) -> int:
        with CaptureQueriesContext(connection) as queries:
            enter(read(anna, *rows), anna)
        return len(queries)

    assert statements(few) == statements(many) < 40
    assert Cost.objects.count() == 1 + 1500


def test_files_that_were_read_before_rows_named_their_changes_still_open(anna: Member) -> None:
    found = read(anna, ("MUG", None, 110), ("CUP", None, None))
    for line in found.lines:
        del line["changes"]
    found.lines[0] |= {"amount": "110.00", "previous": "100.00"}
    found.save()
    import_module("apps.catalog.migrations.0007_changes_of_rows").name_the_change(apps, None)
    found.refresh_from_db()
    mug, cup = lines_of(found)
    assert only_change(mug) == Change(Field.AMOUNT, Decimal(100), Decimal(110))
    assert cup.changes == ()
