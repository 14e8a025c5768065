"""One value, many spellings: what the field types accept, and what they refuse with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from apps.marketplaces import fields


def parse(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("1300.00", "1300.00"),
        ("7341.0000", "7341.0000"),
        (1597, "1597"),
        (Decimal("30.34"), "30.34"),
        ({"amount": "85", "currency": "RUB"}, "85"),
        ({"amount": "-10", "currency": "RUB"}, "-10"),
        (" 12 ", "12"),
        (0, "0"),
    ],
)
def test_money_comes_as_string_number_or_object(value: Any, amount: str) -> None:
    money = parse(fields.Money, value)

    assert isinstance(money, Decimal)
    assert str(money) == amount


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "12,50",
        "1 000",
        "NaN",
        "1e5",
        "abc",
        True,
        1.5,
        [1],
        {},
        {"amount": None},
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1e999999"),
        10**13,
    ],
)
def test_what_is_not_money_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        parse(fields.Money, value)


@pytest.mark.parametrize("value", [None, "", {"amount": ""}, {"amount": None, "currency": "RUB"}])
def test_absent_money_is_none(value: Any) -> None:
    assert parse(fields.MaybeMoney, value) is None
    assert parse(fields.SetMoney, value) is None


def test_zero_is_a_value_unless_the_field_says_otherwise() -> None:
    assert parse(fields.MaybeMoney, 0) == 0
    assert parse(fields.SetMoney, 0) is None
    assert parse(fields.SetMoney, "0.00") is None
    assert parse(fields.SetMoney, "0.01") == Decimal("0.01")


@pytest.mark.parametrize("value", [243686911, "243686911", Decimal(243686911), Decimal("243686911.0")])
def test_an_id_comes_as_number_or_string(value: Any) -> None:
    number = parse(fields.Id, value)

    assert number == 243686911
    assert type(number) is int


@pytest.mark.parametrize("value", [0, -1, "", None, "12a", 1.0, True, Decimal("1.5"), 2**63, Decimal("1e30"), "1" * 25])
def test_what_is_not_an_id_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        parse(fields.Id, value)


def test_ids_may_be_longer_than_money() -> None:
    assert parse(fields.Id, 1020001835658000) == 1020001835658000


@pytest.mark.parametrize("value", [0, "0", "", None])
def test_an_id_that_is_not_there_yet_is_none(value: Any) -> None:
    assert parse(fields.MaybeId, value) is None


def test_a_count_may_be_zero_but_not_below() -> None:
    assert parse(fields.Count, "0") == 0
    with pytest.raises(ValidationError):
        parse(fields.Count, -1)


def test_text_may_come_as_a_number_or_null() -> None:
    assert parse(fields.Text, None) == ""
    assert parse(fields.Text, 143210610) == "143210610"
    assert parse(fields.Text, "143210610") == "143210610"
    with pytest.raises(ValidationError):
        parse(fields.Text, True)
    with pytest.raises(ValidationError):
        parse(fields.Name, None)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-05-11T00:00:07.716614Z", datetime(2026, 5, 11, 0, 0, 7, 716614, UTC)),
        ("2026-05-11T03:00:00+03:00", datetime(2026, 5, 11, tzinfo=UTC)),
        ("2021-11-25 15:19:21", datetime(2021, 11, 25, 15, 19, 21, tzinfo=UTC)),
        ("9999-12-31T20:59:59.997Z", datetime(9999, 12, 31, 20, 59, 59, 997000, UTC)),
        ("2025-10-14T17:09:02.38203Z", datetime(2025, 10, 14, 17, 9, 2, 382030, UTC)),
        ("2025-10-14T17:09:02.123456789Z", datetime(2025, 10, 14, 17, 9, 2, 123456, UTC)),
    ],
)
def test_a_moment_is_aware_and_utc(value: str, moment: datetime) -> None:
    parsed = parse(fields.MaybeMoment, value)

    assert parsed == moment
    assert parsed.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("value", [None, "", "0001-01-01T00:00:00Z"])
def test_an_unset_moment_is_none(value: Any) -> None:
    assert parse(fields.MaybeMoment, value) is None
    with pytest.raises(ValidationError):
        parse(fields.Moment, value)


@pytest.mark.parametrize(
    "value", [1700000000, "1700000000", "yesterday", "2026-13-01T00:00:00Z", [], "9999-12-31T23:59:59-03:00"]
)
def test_what_is_not_a_moment_is_refused_without_repeating_it(value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(fields.MaybeMoment, value)
    assert [error["msg"] for error in caught.value.errors()] == [
        "Value error, expected a moment like 2026-05-10T23:59:51Z"
    ]


def test_null_is_an_empty_list() -> None:
    class Row(fields.ApiRow):
        names: Annotated[tuple[fields.Text, ...], fields.EmptyList] = ()

    assert Row.model_validate({"names": None}).names == ()
    assert Row.model_validate({"names": ["a", None]}).names == ("a", "")
