"""A kind of change small enough to see through: a market with one number per name, which can be made to misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from apps.common.clock import real_now
from apps.decisions import executor, kinds
from apps.decisions.approval import propose
from apps.decisions.kinds import Accepted, Checked, Draft, Match, Measured, NotAccepted, Objection, Reading
from apps.decisions.models import Command, Proposal
from apps.shops.models import Shop

NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Setting(BaseModel):
    name: str
    value: int
    was: int


@dataclass
class Market:
    """What a marketplace holds and what was asked of it. `on_send` and `on_read` may raise or answer in its stead."""

    values: dict[str, int] = field(default_factory=dict)
    sends: list[tuple[str, int]] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    objection: Objection | None = None
    moved: Objection | None = None
    renewed: Callable[[Proposal], Proposal | Objection] = lambda _stale: Objection("too_quiet")
    size: Decimal | None = Decimal("0.10")
    account: str = "101"
    on_send: Callable[[Setting], Accepted | NotAccepted | None] | None = None
    on_read: Callable[[Setting], None] | None = None


class SetValue:
    key: ClassVar[str] = "value"
    payload_model: ClassVar[type[BaseModel]] = Setting
    market = Market()

    def target(self, payload: Setting) -> str:
        return f"value:{payload.name}"

    def account(self, shop: Shop) -> str:
        return self.market.account

    def step_rate(self, payload: Setting) -> Decimal | None:
        return self.market.size

    def moved(self, proposal: Proposal, payload: Setting, *, now: datetime) -> Objection | None:
        return self.market.moved

    def renew(self, proposal: Proposal, *, now: datetime) -> Proposal | Objection:
        return self.market.renewed(proposal)

    def check(
        self, subject: Proposal | Command, payload: Setting, *, now: datetime, reading: Reading | None = None
    ) -> Checked:
        live = reading.value["value"] if reading else None
        return Checked(({"code": "calm", "figures": {"live": live}},), self.market.objection)

    def read(self, shop: Shop, payload: Setting) -> Reading:
        if self.market.on_read:
            self.market.on_read(payload)
        value = self.market.values[payload.name]
        found = {payload.value: Match.TARGET, payload.was: Match.OLD}
        return Reading({"value": value}, found.get(value, Match.OTHER))

    def read_many(self, shop: Shop, payloads: Sequence[Setting]) -> list[Reading | None]:
        return [self.read(shop, payload) if payload.name in self.market.values else None for payload in payloads]

    def request(self, payload: Setting) -> Mapping[str, Any]:
        return {"set": payload.name, "to": payload.value}

    def send(self, shop: Shop, payload: Setting) -> Accepted | NotAccepted:
        self.market.sends.append((payload.name, payload.value))
        answer = self.market.on_send(payload) if self.market.on_send else None
        if answer is None:
            self.market.values[payload.name] = payload.value
        return answer or Accepted({"updated": True})

    def record(self, command: Command, payload: Setting, *, now: datetime) -> None:
        self.market.recorded.append(payload.name)

    def measured(self, command: Command, payload: Setting) -> Measured | None:
        return None

    def reverse(self, command: Command, payload: Setting) -> Draft:
        return Draft(payload=Setting(name=payload.name, value=payload.was, was=payload.value), currency="RUB")

    def say(self, code: str, figures: Mapping[str, Any], *, currency: str) -> str:
        return f"objection: {code}"

    def in_words(self, payload: Setting) -> str:
        return f"{payload.was} → {payload.value}"


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> Market:
    fresh = Market(values={"tea": 100})
    monkeypatch.setattr(SetValue, "market", fresh)
    monkeypatch.setattr(kinds, "kinds", lambda: {"value": SetValue()})
    monkeypatch.setattr("apps.decisions.words.kinds", lambda: {"value": SetValue()})
    return fresh


def offer(
    shop: Shop, *, name: str = "tea", value: int = 110, was: int = 100, needed: int = 1, **options: Any
) -> Proposal:
    """A proposal that waits, made at noon and good for a day."""
    return propose(
        shop=shop,
        kind=SetValue(),
        draft=Draft(payload=Setting(name=name, value=value, was=was), currency="RUB", effect=Decimal("10.00")),
        now=NOON,
        expires_at=NOON + timedelta(days=1),
        needed=needed,
        **options,
    )


def step(command: Command) -> Command:
    """One step, now, whatever the command was to wait for."""
    Command.objects.filter(pk=command.pk).update(due_at=real_now())
    moved = executor.run(command.pk, now=NOON)
    assert moved is not None
    return moved


def steps(command: Command, *, most: int = 40) -> Command:
    """Steps until the command is over."""
    for _ in range(most):
        command = step(command)
        if command.state not in Command.LIVE:
            return command
    raise AssertionError(f"still {command.state} after {most} steps")
