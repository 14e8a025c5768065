"""A price proposal as a card: to be decided on, and afterwards the record of what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.models import Product
from apps.decisions import undo
from apps.decisions.four_eyes import ONE, agreed, people_needed
from apps.decisions.kinds import payload_of
from apps.decisions.models import Command, Proposal
from apps.decisions.words import say as say_problem
from apps.decisions.words import say_renewal
from apps.experiments.models import Experiment
from apps.notifications.models import OutboxMessage
from apps.pricing.analysis import CHOICE, REASONS
from apps.pricing.kinds import warnings_of
from apps.pricing.models import PriceRecommendation
from apps.pricing.records import Choice
from apps.pricing.words import say as say_reason
from apps.reports.links import decision_link
from apps.reports.rendering import Button, Rendered, Rows, from_template
from apps.shops.models import Person, member_of
from apps.shops.roles import Action, may

ONE_HOUR = timedelta(hours=1)
PROFIT_REASONS = ("profit_typical", "profit_learned")
"""They say what is expected at all; a card opens with them."""


def proposal_card(message: OutboxMessage, now: datetime) -> Rendered:
    proposal = _proposal(message)
    is_open = proposal.state == Proposal.State.PENDING and proposal.expires_at > now
    put_off = message.put_off_until if message.put_off_until and message.put_off_until > now else None
    context = {
        "proposal": proposal,
        "shop": proposal.shop,
        "is_open": is_open,
        "now": now,
        "put_off_until": put_off,
        "age_hours": (now - proposal.data_as_of) // ONE_HOUR if proposal.data_as_of else None,
        **_change(proposal),
        "warnings": warnings_of(proposal.shop, payload_of(proposal), now=now) if is_open else [],
        **({**_case(proposal), **_agreement(proposal, now)} if is_open else _record(proposal)),
        "decision_link": decision_link(proposal.pk),
    }
    return from_template("proposal_card", context, _rows(proposal, message, now, is_open=is_open and not put_off))


def _rows(proposal: Proposal, message: OutboxMessage, now: datetime, *, is_open: bool) -> Rows:
    if not _may_decide(message):
        return ()
    if is_open:
        return _buttons(proposal, message.person)
    command = _command(proposal)
    can_undo = command is not None and undo.flaw(command, now=now) is None
    return ((Button(_("Undo"), "command.undo", {"command": command.pk}),),) if command and can_undo else ()


def command_story(command: Command) -> dict[str, Any]:
    """What is known of a command, for the templates that tell it."""
    problem = say_problem(command.problem, kind=command.kind, currency=command.proposal.currency)
    return {"command": command, "problem": problem}


def price_change(subject: Proposal | Command, shop_id: int) -> dict[str, Any]:
    """The product of a price's proposal or command, the prices, and the change as a fraction."""
    payload = payload_of(subject)
    return {
        "product": Product.objects.get(pk=payload.product_id, shop=shop_id),
        "price_from": payload.expected_price,
        "price_to": payload.price,
        "price_change": payload.price / payload.expected_price - 1,
        "currency": payload.currency,
    }


def _proposal(message: OutboxMessage) -> Proposal:
    proposals = Proposal.objects.of(message.seller).select_related("shop", "price_recommendation")
    proposal: Proposal = proposals.get(pk=message.params["proposal"])
    return proposal


def _change(proposal: Proposal) -> dict[str, Any]:
    return price_change(proposal, proposal.shop_id)


def _case(proposal: Proposal) -> dict[str, Any]:
    """What speaks for the change; nothing of it is known of a rollback, which is decided on by its verdict."""
    recommendation: PriceRecommendation | None = getattr(proposal, "price_recommendation", None)
    if recommendation is None:
        return {}
    reasons = REASONS.validate_python(recommendation.reasons)
    said = [(reason.code, say_reason(reason.code, reason.figures, currency=proposal.currency)) for reason in reasons]
    return {
        "expected": [words for code, words in said if code in PROFIT_REASONS],
        "reasons": [words for code, words in said if code not in PROFIT_REASONS],
        **_revenue(CHOICE.validate_python(recommendation.choice)),
    }


def _agreement(proposal: Proposal, now: datetime) -> dict[str, Any]:
    """How many people it needs, and who has agreed so far."""
    return {"needs_two": people_needed(proposal, now=now) > ONE, "agreed": list(agreed(proposal))}


def _revenue(choice: Choice) -> dict[str, Decimal | None]:
    gained = choice.revenue_then - choice.revenue_now
    return {
        "revenue_gain": gained,
        "revenue_change": gained / choice.revenue_now if choice.revenue_now else None,
    }


def _record(proposal: Proposal) -> dict[str, Any]:
    """What was decided, and how far it has come."""
    command = _command(proposal)
    record: dict[str, Any] = {
        "said": list(proposal.approvals.select_related("member__person__user").order_by("at", "pk")),
        "outcome": say_problem(proposal.outcome, kind=proposal.kind, currency=proposal.currency),
        "renewal": say_renewal(proposal.outcome, kind=proposal.kind, currency=proposal.currency),
        "experiment": Experiment.objects.filter(command=command).first() if command else None,
    }
    return {**record, **command_story(command), **_undoing(command)} if command else record


def _undoing(command: Command) -> dict[str, Any]:
    """Whether it was undone, and what stood against it."""
    return {
        "is_under_way": command.state in Command.LIVE,
        "undo_problem": say_problem(command.undo_problem, kind=command.kind, currency=command.proposal.currency),
    }


def _command(proposal: Proposal) -> Command | None:
    commands = Command.objects.select_related("proposal", "shop", "undo_by__person__user")
    return commands.filter(proposal=proposal).first()


def _may_decide(message: OutboxMessage) -> bool:
    return may(member_of(message.person, message.seller), Action.APPROVE)


def _buttons(proposal: Proposal, person: Person) -> Rows:
    """Who has agreed already can only take it back."""
    params = {"proposal": proposal.pk}
    apply = Button(_("Apply"), "proposal.approve", {**params, "hash": proposal.payload_hash})
    reject = Button(_("Reject"), "proposal.reject", params)
    if agreed(proposal).filter(member__person=person).exists():
        return ((reject,),)
    later = Button(_("Later"), "proposal.later", params)
    return ((apply, reject), (later,))
