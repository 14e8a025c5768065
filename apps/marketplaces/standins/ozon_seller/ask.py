"""One admitted call: its fields, checked as OZON checks them, and how a page of a list is cut."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.ozon_seller.gate import Account, invalid
from apps.marketplaces.standins.world import World

MOST_IDS = 1000


@dataclass(frozen=True)
class Slice:
    """Rows start..stop of a list, the cursor that goes on after them ("" at the end), and whether there is more."""

    start: int
    stop: int
    cursor: str
    has_next: bool


@dataclass(frozen=True)
class Ask:
    """`message` is the name of the request in OZON's validation texts."""

    account: Account
    message: str
    fields: dict[str, Any]
    fault: Fault | None = None

    @property
    def world(self) -> World:
        return self.account.world

    def suffers(self, kind: Kind) -> bool:
        return self.fault is not None and self.fault.kind is kind

    def only(self, *names: str) -> None:
        """Refuse fields that the method does not have: an old client's `offset` is an error, not ignored."""
        _only(self.fields, names)

    def object(self, name: str, *names: str, required: bool = False) -> dict[str, Any]:
        """An object inside the request, which may hold `names`."""
        value = self.fields.get(name)
        if value is None and not required:
            return {}
        if not isinstance(value, dict):
            raise invalid(f"invalid {self.message}.{_camel(name)}: value is required")
        _only(value, names)
        return value

    def limit(self, most: int) -> int:
        value = self.fields.get("limit")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise invalid(f"invalid {self.message}.Limit: value must be inside range (0, {most}]")
        return value

    def page(self, count: int, *, most: int, cursor: str = "cursor", fixed: bool = False) -> Slice:
        """The rows of a list of `count` that the call asks for, scripted faults of paging included.

        `fixed`: the call cannot say how many it wants.
        """
        limit = most if fixed else self.limit(most)
        asked = self.fields.get(cursor) or ""
        if self.suffers(Kind.EMPTY_200):
            return Slice(0, 0, "", False)
        if self.suffers(Kind.HALF_PAGE):
            limit = max(1, limit // 2)
        start = min(read_cursor(asked), count)
        stop = min(start + limit, count)
        if self.suffers(Kind.REPEATED_CURSOR):
            return Slice(start, stop, asked, True)
        return Slice(start, stop, write_cursor(stop) if stop < count else "", stop < count)


def ids_of(value: Any, name: str) -> list[str]:
    """A list of identifiers as strings; OZON takes numbers and strings alike. At most 1000."""
    if value is None:
        return []
    if not isinstance(value, list) or any(isinstance(one, bool) or not isinstance(one, int | str) for one in value):
        raise invalid(f"proto: invalid value for field {name}: {value!r}")
    if len(value) > MOST_IDS:
        raise invalid(f"{name}: value must contain no more than {MOST_IDS} item(s)")
    return [str(one) for one in value]


def numbers_of(value: Any, name: str) -> list[int]:
    texts = ids_of(value, name)
    if not all(text.isascii() and text.isdecimal() for text in texts):
        raise invalid(f"proto: invalid value for int64 field {name}: {value!r}")
    return [int(text) for text in texts]


def moment_of(value: Any, name: str) -> int:
    """An RFC 3339 moment as microseconds UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(f"proto: invalid google.protobuf.Timestamp value for field {name}: {value!r}")
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def one_of(value: Any, name: str, accepted: Sequence[str]) -> str:
    if value not in accepted:
        raise invalid(f"proto: invalid value for enum field {name}: {value!r}")
    return str(value)


def write_cursor(place: int) -> str:
    return base64.b64encode(orjson.dumps({"place": place})).decode()


def read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(orjson.loads(base64.b64decode(cursor, validate=True))["place"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise invalid("cursor is invalid") from None


def _only(value: dict[str, Any], names: Sequence[str]) -> None:
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise invalid(f'proto: unknown field "{unknown[0]}"')


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
