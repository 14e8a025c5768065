"""Field types for the rows of marketplaces: the same value comes as number, string, object, null or "".

JSON is parsed with Decimal, so a float here is a programming error and is refused. `None` always means "the API gives
no value"; where it writes that as 0, the type says so.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

MOST_MONEY = Decimal(10) ** 12
MOST_WHOLE = 2**63 - 1
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?")
_WHOLE = re.compile(r"-?\d{1,19}")
_DATE_START = re.compile(r"\d{4}-\d{2}-\d{2}")


class ApiRow(BaseModel):
    """A row as an API sends it: unknown fields are dropped, values are never repeated in an error."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, populate_by_name=True)


def decimal_of(value: Any) -> Decimal:
    """A finite Decimal from an integer, a Decimal, a string like "1300.00", or {"amount": ..., "currency": ...}."""
    if isinstance(value, dict):
        value = value.get("amount")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError("expected a decimal number")
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("expected a number, a string with one, or an amount with a currency")  # noqa: TRY004
    number = Decimal(value)
    if not number.is_finite() or abs(number) > MOST_MONEY:
        raise ValueError(f"expected a finite number of at most {MOST_MONEY:f}")
    return number


def is_absent(value: Any) -> bool:
    """null, "" and an amount without a figure."""
    if isinstance(value, dict) and "amount" in value:
        value = value["amount"]
    return value is None or value == ""


def _maybe_decimal(value: Any) -> Decimal | None:
    return None if is_absent(value) else decimal_of(value)


def _set_decimal(value: Any) -> Decimal | None:
    return _maybe_decimal(value) or None


def _whole(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) <= MOST_WHOLE and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_WHOLE:
        raise ValueError("expected a whole number of 64 bits")
    return int(value)


def _maybe_id(value: Any) -> int | None:
    return None if is_absent(value) else _whole(value) or None


def _text(value: Any) -> Any:
    return "" if value is None else str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _list(value: Any) -> Any:
    return [] if value is None else value


def _moment(value: Any) -> datetime | None:
    """ISO 8601 without a zone is UTC; "" and the year 1 (an unset moment of the API's language) are absent."""
    if value is None or value == "":
        return None
    moment = _parsed(value)
    if moment is None:
        raise ValueError("expected a moment like 2026-05-10T23:59:51Z")
    return moment if moment.year > 1 else None


def _parsed(value: Any) -> datetime | None:
    """None instead of the errors of `datetime`, which repeat the value."""
    if not isinstance(value, str) or not _DATE_START.match(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _required_moment(value: Any) -> datetime:
    moment = _moment(value)
    if moment is None:
        raise ValueError("expected a moment, got none")
    return moment


Money = Annotated[Decimal, BeforeValidator(decimal_of)]
MaybeMoney = Annotated[Decimal | None, BeforeValidator(_maybe_decimal)]
SetMoney = Annotated[Decimal | None, BeforeValidator(_set_decimal)]  # 0 is the API's way to say "not set"
Id = Annotated[int, BeforeValidator(_whole), Field(gt=0)]
MaybeId = Annotated[int | None, BeforeValidator(_maybe_id)]  # 0 is the API's way to say "none yet"
Count = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Moment = Annotated[AwareDatetime, BeforeValidator(_required_moment)]
MaybeMoment = Annotated[AwareDatetime | None, BeforeValidator(_moment)]
EmptyList = BeforeValidator(_list)  # null is an empty list
