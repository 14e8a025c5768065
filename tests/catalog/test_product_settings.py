"""What the seller wants of one product: said by a person, checked, written down with before and after."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.models import Product, ProductSettings
from apps.catalog.product_settings import FIELDS, Value, Values, set_settings, values_of
from apps.catalog.sheet_words import Field
from apps.common.clock import real_now
from apps.common.errors import UserError
from apps.shops.models import AuditEntry, Member
from tests import cast

pytestmark = pytest.mark.django_db

D = Decimal
ALL: Values = {
    Field.MIN_PRICE: D("900.50"),
    Field.MAX_PRICE: D(1200),
    Field.MIN_MARGIN: D("0.155"),
    Field.IS_REPRICED: False,
    Field.LEAD_DAYS: D(21),
    Field.PACK_SIZE: D(12),
    Field.MIN_ORDER: D(48),
}


@pytest.fixture
def anna() -> Member:
    return cast.anna()


@pytest.fixture
def mug(anna: Member) -> Product:
    return Product.objects.create(
        shop=anna.seller.shops.get(), external_id="1", offer_id="MUG-1", name="Mug", currency="RUB"
    )


def told() -> list[dict[str, list[str | None]]]:
    return [entry.data for entry in AuditEntry.objects.filter(action="product_settings.set").order_by("pk")]


def test_all_that_can_be_said_is_kept(anna: Member, mug: Product) -> None:
    set_settings(product=mug, values=ALL, by=anna.person)
    row = ProductSettings.objects.get()
    assert (row.product, row.changed_by, values_of(row)) == (mug, anna.person, ALL)


def test_what_is_not_named_stays_and_what_is_cleared_goes(anna: Member, mug: Product) -> None:
    set_settings(product=mug, values=ALL, by=anna.person)
    set_settings(product=mug, values={Field.MAX_PRICE: D(1300), Field.PACK_SIZE: None}, by=anna.person)
    assert values_of(ProductSettings.objects.get()) == {**ALL, Field.MAX_PRICE: D(1300), Field.PACK_SIZE: None}


def test_a_product_of_which_nothing_is_said_any_more_has_no_row(anna: Member, mug: Product) -> None:
    set_settings(product=mug, values=ALL, by=anna.person)
    set_settings(product=mug, values=dict.fromkeys(FIELDS), by=anna.person)
    assert not ProductSettings.objects.exists()


def test_each_change_is_told_with_before_and_after(anna: Member, mug: Product) -> None:
    set_settings(product=mug, values={Field.MIN_PRICE: D(900), Field.IS_REPRICED: False}, by=anna.person)
    set_settings(product=mug, values={Field.MIN_PRICE: D(950), Field.IS_REPRICED: False}, by=anna.person)
    set_settings(product=mug, values={Field.IS_REPRICED: None}, by=anna.person)
    assert told() == [
        {"min_price": [None, "900"], "is_repriced": [None, "False"]},
        {"min_price": ["900.00", "950"]},
        {"is_repriced": ["False", None]},
    ]
    entry = AuditEntry.objects.filter(action="product_settings.set").latest("pk")
    assert (entry.actor, entry.seller, entry.subject) == (anna.person, anna.seller, f"catalog.product:{mug.pk}")


def test_what_holds_already_is_no_change(anna: Member, mug: Product) -> None:
    for _ in range(2):
        set_settings(product=mug, values=ALL, by=anna.person)
    assert len(told()) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (Field.MIN_PRICE, D(0), "lowest price: “0” is not an amount: above 0"),
        (Field.MAX_PRICE, D("10.001"), "highest price: “10.001” is not an amount: above 0"),
        (Field.MIN_MARGIN, D("0.905"), "minimum margin: “90.5” is not a margin in percent: 0, or from 1 to 90"),
        (Field.MIN_MARGIN, D("0.005"), "minimum margin: “0.5” is not a margin"),
        (Field.MIN_MARGIN, D("-0.1"), "minimum margin: “-10” is not a margin"),
        (Field.LEAD_DAYS, D(366), "days of supply: “366” is not a number of days: a whole one from 1 to 365"),
        (Field.LEAD_DAYS, D("1.5"), "days of supply: “1.5” is not a number of days"),
        (Field.PACK_SIZE, D(0), "order in multiples of: “0” is not a number of pieces: a whole one from 1 to 100000"),
        (Field.MIN_ORDER, D(-1), "least to order: “-1” is not a number of pieces"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field_and_what_is_accepted(
    mug: Product, field: Field, value: Value, words: str
) -> None:
    with pytest.raises(UserError) as raised:
        set_settings(product=mug, values={field: value}, by=None)
    assert words in str(raised.value)
    assert str(raised.value).startswith("MUG-1, ")
    assert not ProductSettings.objects.exists()
    assert told() == []


@pytest.mark.parametrize("rate", ["0", "0.01", "0.1234", "0.9"])
def test_a_margin_is_nothing_or_a_percent_at_least(mug: Product, rate: str) -> None:
    set_settings(product=mug, values={Field.MIN_MARGIN: D(rate)}, by=None)
    assert ProductSettings.objects.get().min_margin_rate == D(rate)


def test_bounds_that_leave_no_room_are_refused_though_they_come_one_by_one(mug: Product) -> None:
    set_settings(product=mug, values={Field.MIN_PRICE: D(1000)}, by=None)
    with pytest.raises(UserError, match=r"highest price: The highest price, 999, is below the lowest, 1000\.00"):
        set_settings(product=mug, values={Field.MAX_PRICE: D(999)}, by=None)
    set_settings(product=mug, values={Field.MAX_PRICE: D(1000)}, by=None)


@pytest.mark.parametrize(
    "columns",
    [
        {"min_price": 0},
        {"max_price": -1},
        {"min_price": 2, "max_price": 1},
        {"min_margin_rate": 1},
        {"lead_days": 0},
        {"pack_size": 0},
        {"min_order": 0},
    ],
)
def test_the_database_holds_it_too(mug: Product, columns: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ProductSettings.objects.create(product=mug, changed_at=real_now(), **columns)
