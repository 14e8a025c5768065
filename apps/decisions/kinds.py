"""What a kind of outside change must be able to do; the kinds themselves live with their domain.

They are named in `settings.DECISION_KINDS`, a tuple one can read, and found here by their `key`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from pydantic import BaseModel

if TYPE_CHECKING:
    from apps.decisions.models import Command, Proposal
    from apps.shops.models import Shop


class Match(Enum):
    """What a read-back says about a command."""

    TARGET = "target"
    OLD = "old"
    OTHER = "other"


@dataclass(frozen=True)
class Reading:
    """The live value, as JSON, and how it compares with what the command wants."""

    value: Mapping[str, Any]
    match: Match


@dataclass(frozen=True)
class Objection:
    """Why a change must not be made now. `is_stale` says that the figures under the proposal have moved.

    `until` is the moment, in real time, from which on nothing stands against it: a command waits for it.
    """

    code: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    is_stale: bool = False
    until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "figures": dict(self.figures)}


@dataclass(frozen=True)
class Checked:
    """What the guardrails said: what was passed, as JSON (`code`, `figures`), and the first objection."""

    passed: tuple[Mapping[str, Any], ...] = ()
    objection: Objection | None = None


@dataclass(frozen=True)
class Accepted:
    """The marketplace took the change in; whether it holds is for the read-back to say."""

    answer: Mapping[str, Any]


@dataclass(frozen=True)
class NotAccepted:
    """The marketplace refused this change, in its own words. `is_quota` means: the same again later may pass."""

    code: str
    message: str
    is_quota: bool = False


@dataclass(frozen=True)
class Measured:
    """What an experiment needs to know of a verified change.

    `economics` is JSON: money as strings, rates as fractions.
    """

    product_id: int
    price_from: Decimal
    price_to: Decimal
    economics: Mapping[str, Any]
    days: int = 7


@dataclass(frozen=True)
class Draft:
    """The content of a proposal before it has a row: `payload` is the kind's own model."""

    payload: BaseModel
    currency: str
    effect: Decimal | None = None
    effect_low: Decimal | None = None
    effect_high: Decimal | None = None
    worst_case: Decimal | None = None
    data_as_of: datetime | None = None


class Kind(Protocol):
    """One kind of outside change. Absolute values only: what to set, and what stood there before."""

    key: ClassVar[str]
    payload_model: ClassVar[type[BaseModel]]

    def target(self, payload: Any) -> str:
        """What is changed, in a word ("price:7"): one live command and one pending proposal per target."""

    def account(self, shop: Shop) -> str:
        """The client id the change is approved for; the executor refuses to send through another."""

    def step_rate(self, payload: Any) -> Decimal | None:
        """How large the change is, as a fraction of what stands there; None where a change has no size."""

    def moved(self, proposal: Proposal, payload: Any, *, now: datetime) -> Objection | None:
        """What has moved under a proposal since it was made, far enough to decide anew."""

    def renew(self, proposal: Proposal, *, now: datetime) -> Proposal | Objection:
        """The proposal of today's figures for the same target, shown; or why there is none now."""

    def check(
        self, subject: Proposal | Command, payload: Any, *, now: datetime, reading: Reading | None = None
    ) -> Checked:
        """The guardrails: over what the database knows when proposed and approved, with the live value at a send."""

    def read(self, shop: Shop, payload: Any) -> Reading:
        """Ask the marketplace for the live value. It must end well within the lease: the send comes after it."""

    def read_many(self, shop: Shop, payloads: Sequence[Any]) -> list[Reading | None]:
        """The live values of many, in the same order; None for what the marketplace does not show."""

    def request(self, payload: Any) -> Mapping[str, Any]:
        """What `send` writes, as JSON, to be kept: where to and with which content, without any key."""

    def send(self, shop: Shop, payload: Any) -> Accepted | NotAccepted:
        """One write. Raises `Unclear` when nobody can know whether it was applied."""

    def record(self, command: Command, payload: Any, *, now: datetime) -> None:
        """The change is verified: write it down, in the transaction that says so."""

    def measured(self, command: Command, payload: Any) -> Measured | None:
        """What an experiment on this change needs; None when the change is not measured."""

    def reverse(self, command: Command, payload: Any) -> Draft:
        """The proposal that undoes a verified command."""

    def say(self, code: str, figures: Mapping[str, Any], *, currency: str) -> str:
        """One finding of its guardrails in words, in the active language."""

    def in_words(self, payload: Any) -> str:
        """The change in a few words ("1 490 ₽ → 1 590 ₽ (+6.7 %)"), without a query."""


@cache
def kinds() -> dict[str, Kind]:
    found: list[Kind] = [import_string(path)() for path in settings.DECISION_KINDS]
    return {kind.key: kind for kind in found}


def kind_of(subject: Proposal | Command) -> Kind:
    return kinds()[subject.kind]


def payload_of(subject: Proposal | Command) -> Any:
    """The stored payload as the kind's own model."""
    return kind_of(subject).payload_model.model_validate(subject.payload)


def hash_of(payload: BaseModel) -> str:
    """Binds a decision to exactly this content."""
    content = json.dumps(payload.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
