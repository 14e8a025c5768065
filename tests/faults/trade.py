"""A shop whose price changes are carried out by real workers, and the ledgers that tell what became of each.

A test asks for a `trade` over a `fleet`, approves changes, spoils something, and reads the `Story` of a command: our
own rows, the marketplace's log of calls, and the prices that its world wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import requests
from django.conf import settings
from django.test import override_settings
from pytest_django import Settings

from apps.catalog.models import PriceChange, Product
from apps.decisions.approval import Objected, approve, propose
from apps.decisions.kinds import Draft, hash_of, payload_of
from apps.decisions.models import Attempt, Command, Proposal
from apps.experiments.models import Experiment
from apps.notifications.models import OutboxMessage
from apps.pricing.grid import grid_of
from apps.pricing.kinds import PricePayload, SetPrice, draft_of
from apps.reports.messages import render
from apps.shops.models import AuditEntry, Member
from tests.faults.harness import Fleet, Process, eventually
from tests.flows.shop import LiveShop, live_shop

SEND = "ozon:/v1/product/import/prices"
READ = "ozon:/v5/product/info/prices"
RISE = Decimal("1.04")
PATIENCE_SECONDS = 60

State = Command.State


@dataclass(frozen=True)
class Story:
    """What all ledgers say of one command."""

    state: str
    outcomes: list[str]
    """of our own sends"""
    calls: list[int | None]
    """the statuses that the marketplace gave to sends of this product; None where it gave none"""
    changes: list[tuple[Decimal, Decimal]]
    """what the world wrote: from, to"""
    experiments: int
    audit: list[str]


@dataclass(frozen=True)
class Trade:
    """Anna's shop, behind a stand-in, and the processes that work for her."""

    live: LiveShop
    fleet: Fleet

    @property
    def owner(self) -> Member:
        return self.live.owner

    @property
    def now(self) -> datetime:
        return self.live.now

    def worker(self, **env: str) -> Process:
        """One that carries commands out."""
        return self.fleet.worker("money", **env)

    # People

    def proposal(self) -> Proposal:
        """A rise of a product that nobody has proposed anything for, waiting for a decision."""
        taken = {int(target.partition(":")[2]) for target in Proposal.objects.values_list("target", flat=True)}
        fresh = Product.objects.exclude(pk__in=taken).order_by("pk")
        return next(filter(None, map(self.propose, fresh)))

    def propose(self, product: Product) -> Proposal | None:
        """None when a guardrail forbids it, as where the cost is not known."""
        now, draft = self.now, Draft(payload=self.payload(product), currency=product.currency)
        try:
            return propose(
                shop=self.live.shop, kind=SetPrice(), draft=draft, now=now, expires_at=now + timedelta(days=1)
            )
        except Objected:
            return None

    def cards(self, *, most: int | None = None) -> list[Proposal]:
        """Rises of so many products whose cost is known: what `propose` makes, whose checks take long for hundreds."""
        now = self.now
        payloads = [self.payload(product) for product in Product.objects.exclude(costs=None).order_by("pk")[:most]]
        return Proposal.objects.bulk_create(
            Proposal(
                shop=self.live.shop,
                kind=SetPrice.key,
                target=SetPrice().target(payload),
                payload=payload.model_dump(mode="json"),
                payload_hash=hash_of(payload),
                currency=payload.currency,
                created_at=now,
                expires_at=now + timedelta(days=1),
            )
            for payload in payloads
        )

    def payload(self, product: Product) -> PricePayload:
        assert product.price is not None
        return draft_of(product, grid_of(product.currency).nearest(product.price * RISE))

    def approve(self, proposal: Proposal, *, by: Member | None = None) -> Command:
        command = approve(
            proposal_id=proposal.pk, payload_hash=proposal.payload_hash, by=by or self.owner, now=self.now
        )
        assert command is not None
        return command

    def approved(self) -> Command:
        return self.approve(self.proposal())

    # The marketplace

    def spoil(self, route: str, kind: str, **options: object) -> None:
        """Script a fault; see `apps.marketplaces.standins.faults` for the kinds and options."""
        self._ask("POST", "/_faults", json={"route": route, "kind": kind, **options})

    def heal(self) -> None:
        """No fault is left, and what was called so far is forgotten."""
        self._ask("DELETE", "/_faults")
        self._ask("DELETE", "/_calls")

    def calls(self, route: str = SEND) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self._ask("GET", "/_calls", params={"route": route}))

    def is_spoilt(self, route: str) -> bool:
        """A fault has struck a call of the route; with `hang_after_apply` it was applied and nobody answers."""
        return any(call["fault"] for call in self.calls(route))

    def changes(self) -> dict[int, list[tuple[Decimal, Decimal]]]:
        """What the world wrote, by product id."""
        found: dict[int, list[tuple[Decimal, Decimal]]] = {}
        for write in self._ask("GET", "/world/prices")["writes"]:
            step = (Decimal(write["price_from"]), Decimal(write["price_to"]))
            found.setdefault(write["product_id"], []).append(step)
        return found

    # The queue

    def run(self, *commands: Command) -> None:
        """What an approval wakes; in this process it reaches a queue that no worker of the fleet listens to."""
        for command in commands:
            self.fleet.send("commands.run", command.pk)

    def tick(self) -> None:
        """The minute's sweeps."""
        self.fleet.send("commands.sweep")
        self.fleet.send("experiments.sweep", queue="money")

    def follow(self, *commands: Command, ticking: bool = True, within: float = PATIENCE_SECONDS) -> list[str]:
        """Wait until all are over, and every verified one has its experiment. Returns their states."""

        def over() -> bool:
            if ticking:
                self.tick()
            measured = set(Experiment.objects.values_list("command", flat=True))
            rows = self._rows(commands)
            return all(
                one.state not in Command.LIVE and (one.state != State.VERIFIED or one.pk in measured) for one in rows
            )

        eventually(over, f"{len(commands)} commands are over", within=within, every=0.3)
        return [one.state for one in self._rows(commands)]

    # What became of it

    def story(self, command: Command) -> Story:
        (row,) = self._rows([command])
        product_id = int(payload_of(row).external_id)
        sends = [call for call in self.calls() if call["request"]["prices"][0]["product_id"] == product_id]
        subject = f"{row._meta.label_lower}:{row.pk}"
        return Story(
            state=row.state,
            outcomes=list(Attempt.objects.filter(command=row).order_by("number").values_list("outcome", flat=True)),
            calls=[call["status"] for call in sends],
            changes=self.changes().get(product_id, []),
            experiments=Experiment.objects.filter(command=row).count(),
            audit=list(AuditEntry.objects.filter(subject=subject).order_by("id").values_list("action", flat=True)),
        )

    def changed_once(self, command: Command) -> Story:
        """The story of a command that did what it was approved for, and nothing else: one change of the price, one
        experiment, each step in the audit trail."""
        story, payload = self.story(command), payload_of(command)
        assert story.state == State.VERIFIED
        assert story.changes == [(payload.expected_price, payload.price)]
        assert story.experiments == 1
        assert story.audit == ["command.queued", *["command.sending"] * len(story.outcomes), "command.verified"]
        experiment = Experiment.objects.get(command=command)
        started = AuditEntry.objects.filter(action="experiment.started", data__command=command.pk)
        assert [entry.subject for entry in started] == [f"experiments.experiment:{experiment.pk}"]
        assert PriceChange.objects.get(command_id=command.pk).price_to == payload.price
        return story

    def unchanged(self, command: Command) -> Story:
        """The story of a command that changed nothing."""
        story = self.story(command)
        assert (story.changes, story.experiments) == ([], 0)
        assert not PriceChange.objects.filter(command_id=command.pk).exists()
        return story

    def said(self, command: Command) -> list[str]:
        """What the approvers are told about the end of a command."""
        messages = OutboxMessage.objects.filter(name="command_ended", params={"command": command.pk})
        return [render(message, now=self.now).text for message in messages]

    def _rows(self, commands: Any) -> list[Command]:
        return list(Command.objects.filter(pk__in=[one.pk for one in commands]).order_by("pk"))

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        response = requests.request(method, f"{self.live.standins.url}{path}", timeout=30, **options)
        assert response.ok, response.text
        return response.json()


@contextmanager
def trade_of(fleet: Fleet, *, skus: int) -> Iterator[Trade]:
    """Anna's shop after its morning sync, with costs; the fleet's processes work for it."""
    with override_settings(), live_shop(cast(Settings, settings), skus=skus, history_days=3) as live:
        live.sync()
        live.enter_costs()
        url = live.standins.url
        fleet.env |= {"OZON_API_URL": url, "WORLD_URL": url, "PROCESS_ROLE": "money", "LEASE_MARGIN_SECONDS": "3"}
        yield Trade(live, fleet)
