"""What buttons do: each action calls one function of the domain, in the name of the member who pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.common.clock import real_now
from apps.common.errors import Denied, NotFound, Refused, UserError
from apps.decisions import together
from apps.decisions.approval import AlreadyDecided, approve, reject
from apps.decisions.models import Batch, Proposal
from apps.experiments import lifecycle
from apps.notifications.outbox import postpone
from apps.shops.audit import record
from apps.shops.models import Language, Member, Person, Seller, member_of
from apps.shops.roles import Action, require
from bots import cards, tokens
from bots.models import ButtonToken

Params = dict[str, Any]


def approve_proposal(member: Member, params: Params, now: datetime) -> str:
    command = approve(proposal_id=params["proposal"], payload_hash=params["hash"], by=member, now=now)
    return _("Accepted, sending.") if command else _("Accepted. One more person has to agree.")


def reject_proposal(member: Member, params: Params, now: datetime) -> str:
    reject(proposal_id=params["proposal"], by=member, now=now)
    return _("Rejected.")


def later(member: Member, params: Params, now: datetime) -> str:
    """The same card again in a while, never past its expiry."""
    require(member, Action.APPROVE)
    proposal = Proposal.objects.find(member.seller, pk=params["proposal"])
    again_at = now + timedelta(seconds=settings.LATER_SECONDS)
    if proposal.state != Proposal.State.PENDING:
        raise AlreadyDecided(proposal)
    if again_at >= proposal.expires_at:
        raise Refused(_("There is no later: the proposal expires before. Please decide now."))
    postpone(subject=f"proposal:{proposal.pk}", person=member.person, until=again_at, expires_at=proposal.expires_at)
    return _("You will see it again.")


def undo_change(member: Member, params: Params, now: datetime) -> str:
    command = lifecycle.undo(command_id=params["command"], by=member, now=now)
    return _("Undone: the old price is being sent.") if command else _("Undone.")


def ask_together(member: Member, params: Params, now: datetime) -> str:
    batch = together.ask(shop_id=params["shop"], by=member, now=now)
    return _("Apply %(count)s changes? Please confirm in the message.") % {"count": len(batch.asked)}


def apply_together(member: Member, params: Params, now: datetime) -> str:
    batch = together.apply(batch_id=params["batch"], by=member, now=now)
    applied = sum(outcome["code"] == Batch.Outcome.APPLIED for outcome in batch.outcomes)
    return _("Applied: %(applied)s of %(count)s. The message says what became of each.") % {
        "applied": applied,
        "count": len(batch.asked),
    }


def leave_together(member: Member, params: Params, now: datetime) -> str:
    together.leave(batch_id=params["batch"], by=member)
    return _("Nothing was applied.")


def keep_price(member: Member, params: Params, now: datetime) -> str:
    lifecycle.keep(experiment_id=params["experiment"], by=member, now=now)
    return _("The price stays.")


def roll_price_back(member: Member, params: Params, now: datetime) -> str:
    lifecycle.roll_back(experiment_id=params["experiment"], by=member, now=now)
    return _("Rolling back, sending.")


def extend_experiment(member: Member, params: Params, now: datetime) -> str:
    lifecycle.extend(experiment_id=params["experiment"], by=member, now=now)
    return _("Seven more days.")


def choose_language(member: Member, params: Params, now: datetime) -> str:
    member.person.language = Language(params["language"])
    member.person.save(update_fields=["language"])
    cards.speak_anew(member.person)
    return _("Saved.")


def choose_seller(member: Member, params: Params, now: datetime) -> str:
    seller = Seller.objects.filter(pk=params["seller"], members__person=member.person).first()
    if seller is None:
        raise Denied(_("You are not a member of this seller's team."))
    Person.objects.filter(pk=member.person_id).update(active_seller=seller)
    return _("Saved.")


ACTIONS: dict[str, Callable[[Member, Params, datetime], str]] = {
    "proposal.approve": approve_proposal,
    "proposal.reject": reject_proposal,
    "proposal.later": later,
    "command.undo": undo_change,
    "together.ask": ask_together,
    "together.apply": apply_together,
    "together.leave": leave_together,
    "experiment.keep": keep_price,
    "experiment.roll_back": roll_price_back,
    "experiment.extend": extend_experiment,
    "settings.language": choose_language,
    "settings.seller": choose_seller,
}


@dataclass(frozen=True)
class Outcome:
    """What a press came to: words in the active language. `group` names the card when it is the presser's own."""

    words: str
    is_refusal: bool = False
    group: str = ""


@transaction.atomic
def press(*, token: str, telegram_id: int, chat_id: int | None, now: datetime) -> Outcome:
    """Do what a button says and spend its card, in one transaction: a crash loses both or neither.

    A press that is refused spends nothing, so that a card which cannot be decided on now can be later.
    """
    real = real_now()
    button = tokens.find(token)
    presser = Person.objects.filter(telegram_id=telegram_id, user__is_active=True).first()
    flaw = tokens.flaw(button, presser=presser, chat_id=chat_id, now=real)
    if flaw or button is None:
        _record_refusal(button, presser, telegram_id, reason=flaw)
        is_own = button is not None and flaw in ("spent", "expired")
        return Outcome(str(tokens.REFUSALS[flaw]), is_refusal=True, group=button.group if button and is_own else "")
    try:
        words = ACTIONS[button.action](_member(button), button.params, now)
    except UserError as error:
        if isinstance(error, Denied | NotFound):
            _record_refusal(button, presser, telegram_id, reason="denied")
        return Outcome(str(error), is_refusal=True, group=button.group)
    tokens.spend(button, now=real)
    return Outcome(words, group=button.group)


def _member(button: ButtonToken) -> Member:
    member = member_of(button.person, button.seller)
    if member is None:
        raise Denied(_("You are not a member of this seller's team."))
    return member


def _record_refusal(button: ButtonToken | None, presser: Person | None, telegram_id: int, *, reason: str) -> None:
    record(
        "button.refused",
        actor=presser,
        seller=button.seller if button else None,
        subject=f"telegram:{telegram_id}",
        reason=reason,
        button=button.action if button else "",
    )
