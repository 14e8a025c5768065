"""Everything that is known of one decision, in the order in which it came about: what the decision's page tells."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from apps.catalog.models import PriceChange, Product
from apps.common import formats
from apps.decisions.kinds import payload_of
from apps.decisions.models import Approval, Attempt, Command, Proposal, ReadBack
from apps.decisions.words import say, say_renewal
from apps.experiments.models import Experiment, Verdict
from apps.notifications.models import OutboxMessage
from apps.pricing import words
from apps.pricing.analysis import CHOICE, FACTS
from apps.pricing.kinds import PricePayload
from apps.pricing.models import PriceRecommendation
from apps.pricing.records import Choice, OwnRules, PriceFacts
from apps.reports.verdict_card import VOID, finding
from apps.shops.models import AuditEntry, Person, Shop

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Facts:
    """Facts that belong together."""

    title: str
    rows: tuple[Fact, ...]


@dataclass(frozen=True)
class Seen:
    """The price that the marketplace showed when it was last looked at; `is_before_send`: nobody has looked since."""

    price: Decimal
    at: datetime
    is_before_send: bool


@dataclass(frozen=True)
class Text:
    """What one person had before their eyes; `at` is real time, as that of a refusal and an attempt is."""

    at: datetime
    words: str


@dataclass(frozen=True)
class Copy:
    """One person's copy of a card, and how it read, first and later."""

    message: OutboxMessage
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Refusal:
    """A yes that a guardrail refused; it may be given again."""

    at: datetime
    person: Person | None
    words: str


@dataclass(frozen=True)
class Send:
    """One attempt: the guardrails right before it, what was sent, what was answered, what was read back after it."""

    attempt: Attempt
    passed: tuple[str, ...]
    request: str
    answer: str
    reads: tuple[ReadBack, ...]


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    finding: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """A decision from its facts to its end."""

    proposal: Proposal
    shop: Shop
    product: Product
    payload: PricePayload
    seen: Seen | None
    facts: tuple[Facts, ...]
    reasons: tuple[str, ...]
    passed: tuple[str, ...]
    cards: tuple[Copy, ...]
    approvals: tuple[Approval, ...]
    refusals: tuple[Refusal, ...]
    command: Command | None
    passed_when_approved: tuple[str, ...]
    reads_before: tuple[ReadBack, ...]
    sends: tuple[Send, ...]
    experiment: Experiment | None
    judgements: tuple[Judgement, ...]
    verdict_cards: tuple[Copy, ...]
    rollbacks: tuple[Proposal, ...]

    @property
    def currency(self) -> str:
        return self.payload.currency

    @property
    def content(self) -> str:
        """What was proposed, as JSON."""
        return _json(self.proposal.payload)

    @property
    def is_at_price(self) -> bool:
        return self.seen is not None and not self.seen.is_before_send and self.seen.price == self.payload.price

    @property
    def age_hours(self) -> int | None:
        """How old the data were when the change was proposed."""
        as_of = self.proposal.data_as_of
        return (self.proposal.created_at - as_of) // HOUR if as_of else None

    @property
    def outcome(self) -> str:
        return say(self.proposal.outcome, kind=self.proposal.kind, currency=self.currency)

    @property
    def renewal(self) -> str:
        return say_renewal(self.proposal.outcome, kind=self.proposal.kind, currency=self.currency)

    @property
    def problem(self) -> str:
        """Why the command did not come about, or waits."""
        return say(self.command.problem, kind=self.proposal.kind, currency=self.currency) if self.command else ""

    @property
    def void_reason(self) -> str:
        return str(VOID.get(self.experiment.void_reason, "")) if self.experiment else ""


def story_of(proposal_id: int, *, tells_profit: bool) -> Story:
    """The story of a proposal: about a dozen queries, however long it is. Not everybody is told costs and profit."""
    proposal = Proposal.objects.select_related("shop", "proposed_by__person__user", "reverses").get(pk=proposal_id)
    payload = payload_of(proposal)
    product = Product.objects.get(pk=payload.product_id, shop=proposal.shop_id)
    recommendation = PriceRecommendation.objects.filter(proposal=proposal).first()
    command = Command.objects.filter(proposal=proposal).first()
    reads = list(ReadBack.objects.filter(command=command)) if command else []
    experiment = _experiment(command)
    cards = _copies(proposal, experiment)
    return Story(
        proposal=proposal,
        shop=proposal.shop,
        product=product,
        payload=payload,
        seen=_seen(product, command, reads),
        facts=_facts(recommendation, proposal.currency, tells_profit=tells_profit) if recommendation else (),
        reasons=_reasons(recommendation, proposal.currency) if recommendation else (),
        passed=_passed(proposal, proposal.checks),
        cards=tuple(copy for copy in cards if copy.message.name == "proposal_card"),
        approvals=tuple(proposal.approvals.select_related("member__person__user").order_by("at", "pk")),
        refusals=_refusals(proposal),
        command=command,
        passed_when_approved=_passed(proposal, command.checks) if command else (),
        reads_before=tuple(read for read in reads if read.after_sends == 0),
        sends=_sends(proposal, command, reads) if command else (),
        experiment=experiment,
        judgements=_judgements(experiment) if experiment else (),
        verdict_cards=tuple(copy for copy in cards if copy.message.name == "verdict_card"),
        rollbacks=tuple(Proposal.objects.filter(reverses=command).order_by("pk")) if command else (),
    )


def _seen(product: Product, command: Command | None, reads: list[ReadBack]) -> Seen | None:
    """The later of what the catalog knows (by a sync, or by a change that was verified) and the last read-back."""
    found = [_in_catalog(product, command), _read_back(command, reads)]
    return max((one for one in found if one), key=lambda one: one.at, default=None)


def _in_catalog(product: Product, command: Command | None) -> Seen | None:
    change = PriceChange.objects.filter(product=product).order_by("-seen_at", "-pk").first()
    moments = [moment for moment in (product.synced_at, change.seen_at if change else None) if moment]
    if product.price is None or not moments:
        return None
    at, sent_at = max(moments), command.sent_at if command else None
    return Seen(product.price, at, is_before_send=sent_at is not None and at <= sent_at)


def _read_back(command: Command | None, reads: list[ReadBack]) -> Seen | None:
    if command is None or not reads:
        return None
    last = reads[-1]
    return Seen(Decimal(last.value["price"]), last.at, is_before_send=last.after_sends < command.writes)


def _passed(proposal: Proposal, checks: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The guardrails that were passed, in words; what several of them say is said once."""
    said = (say(check, kind=proposal.kind, currency=proposal.currency) for check in checks)
    return tuple(dict.fromkeys(said))


def _reasons(recommendation: PriceRecommendation, currency: str) -> tuple[str, ...]:
    return tuple(words.say(one["code"], one["figures"], currency=currency) for one in recommendation.reasons)


def _copies(proposal: Proposal, experiment: Experiment | None) -> list[Copy]:
    subjects = [f"proposal:{proposal.pk}", *([f"experiment:{experiment.pk}"] if experiment else [])]
    messages = OutboxMessage.objects.filter(seller=proposal.shop.seller_id, subject__in=subjects)
    return [Copy(message, _texts(message)) for message in messages.select_related("person__user").order_by("pk")]


def _texts(message: OutboxMessage) -> tuple[Text, ...]:
    return tuple(
        Text(datetime.fromisoformat(shown["at"]), html.unescape(strip_tags(shown["text"]))) for shown in message.texts
    )


def _refusals(proposal: Proposal) -> tuple[Refusal, ...]:
    entries = AuditEntry.objects.filter(subject=f"decisions.proposal:{proposal.pk}", action="proposal.objected")
    return tuple(
        Refusal(entry.at, entry.actor, say(entry.data, kind=proposal.kind, currency=proposal.currency))
        for entry in entries.select_related("actor__user").order_by("pk")
    )


def _sends(proposal: Proposal, command: Command, reads: list[ReadBack]) -> tuple[Send, ...]:
    return tuple(
        Send(
            attempt=attempt,
            passed=_passed(proposal, attempt.checks),
            request=_request(attempt.request),
            answer=_json(attempt.answer),
            reads=tuple(read for read in reads if read.after_sends == attempt.number),
        )
        for attempt in command.attempts.all()
    )


def _request(request: Mapping[str, Any]) -> str:
    return f"POST {request['path']}\n{_json(request['body'])}" if request else ""


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def _experiment(command: Command | None) -> Experiment | None:
    if command is None:
        return None
    return Experiment.objects.filter(command=command).select_related("decided_by__person__user").first()


def _judgements(experiment: Experiment) -> tuple[Judgement, ...]:
    verdicts = experiment.verdicts.select_related("experiment").order_by("as_of")
    return tuple(Judgement(verdict, finding(verdict)) for verdict in verdicts)


def _facts(recommendation: PriceRecommendation, currency: str, *, tells_profit: bool) -> tuple[Facts, ...]:
    """What was known when the price was chosen, as it was kept then."""
    facts = FACTS.validate_python(recommendation.facts)
    choice = CHOICE.validate_python(recommendation.choice)
    write = _Writer(currency)
    costs = [Facts(_("Costs and fees of a unit"), _cost_facts(facts, write))] if tells_profit else []
    profit = [write.change(_("profit a day"), choice.profit_now, choice.profit_then)] if tells_profit else []
    return (
        Facts(_("Price"), _price_facts(facts, choice, write)),
        *costs,
        Facts(_("Sales and stock"), _sales_facts(facts, write)),
        Facts(_("What was expected"), (*profit, *_expectations(choice, write))),
    )


@dataclass(frozen=True)
class _Writer:
    """Writes facts; what is not known says so."""

    currency: str

    def money(self, label: str, amount: Decimal | None) -> Fact:
        return self._fact(label, amount, lambda value: formats.money(value, self.currency))

    def optional_money(self, label: str, price: Decimal | None) -> Fact:
        """A price that a product need not have."""
        return Fact(label, _("none is set")) if price is None else self.money(label, price)

    def rate(self, label: str, rate: Decimal | None) -> Fact:
        return self._fact(label, rate, formats.percent)

    def number(self, label: str, value: Decimal | int | None) -> Fact:
        return self._fact(label, value, formats.number)

    def _fact(self, label: str, value: Any, write: Callable[[Any], str]) -> Fact:
        return Fact(str(label), _("not known") if value is None else write(value))

    def change(self, label: str, now: Decimal, then: Decimal) -> Fact:
        return Fact(label, f"{formats.money(now, self.currency)} → {formats.money(then, self.currency)}")


def _price_facts(facts: PriceFacts, choice: Choice, write: _Writer) -> tuple[Fact, ...]:
    return (
        write.money(_("price"), facts.price),
        write.optional_money(_("crossed-out price"), facts.old_price),
        write.optional_money(_("minimum price at the marketplace"), facts.min_price),
        write.money(_("base price"), facts.base_price),
        write.money(_("floor"), choice.floor_price),
        *_own_facts(facts.own, write),
        Fact(_("last change"), _last_change(facts, write.currency)),
    )


def _own_facts(own: OwnRules, write: _Writer) -> Iterator[Fact]:
    """What the seller had said of this product alone; where they had not, the shop's rules held."""
    if own.min_price is not None:
        yield write.money(_("lowest price"), own.min_price)
    if own.max_price is not None:
        yield write.money(_("highest price"), own.max_price)
    if own.min_margin_rate is not None:
        yield write.rate(_("minimum margin"), own.min_margin_rate)


def _last_change(facts: PriceFacts, currency: str) -> str:
    past = facts.last_change
    if past is None:
        return _("none known")
    before, after = (formats.money(price, currency) for price in (past.old_price, past.new_price))
    return f"{formats.day(past.changed_on)}: {before} → {after}"


def _cost_facts(facts: PriceFacts, write: _Writer) -> tuple[Fact, ...]:
    """The terms that the pricing knows, by the names that its own sentences give them."""
    of_facts = {name: label for name, label in words.TERMS.items() if hasattr(facts, name)}
    return tuple(
        (write.rate if name.endswith("_rate") else write.money)(str(label), getattr(facts, name))
        for name, label in of_facts.items()
    )


def _sales_facts(facts: PriceFacts, write: _Writer) -> tuple[Fact, ...]:
    return (
        write.number(_("sold a day in stock"), facts.units_per_day),
        write.number(_("sold in 7 days"), facts.units_last_7),
        write.number(_("sold in the 7 before"), facts.units_previous_7),
        write.number(_("days seen"), facts.days_observed),
        write.number(_("in stock, pcs"), facts.stock),
        write.number(_("on the way, pcs"), facts.inbound),
        write.number(_("the stock lasts, days"), facts.cover_days),
    )


def _expectations(choice: Choice, write: _Writer) -> tuple[Fact, ...]:
    mean, deviation = formats.number(choice.prior_mean, decimals=2), formats.number(choice.prior_sd, decimals=2)
    learned = _("typical of the trade")
    if choice.prior_experiments:
        learned = _("from own experiments: %(count)s") % {"count": choice.prior_experiments}
    return (
        Fact(_("price elasticity"), f"{mean} ± {deviation} ({learned})"),
        write.change(_("revenue a day"), choice.revenue_now, choice.revenue_then),
        Fact(_("units a day"), f"{formats.number(choice.units_now)} → {formats.number(choice.units_then)}"),
        Fact(_("better with a probability of"), formats.probability(choice.probability_better)),
    )
