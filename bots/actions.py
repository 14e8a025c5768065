"""What buttons do: each action calls one function of the domain, in the name of the member who pressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.common.clock import real_now
from apps.common.errors import Denied, Refused, UserError
from apps.decisions.approval import AlreadyDecided, approve, reject
from apps.decisions.models import Proposal
from apps.experiments import lifecycle
from apps.notifications.outbox import postpone
from apps.shops.models import Language, Member, Person, Seller, member_of
from apps.shops.roles import Action, require
from bots.tokens import Press, claim, give_back

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
    postpone(subject=f"proposal:{proposal.pk}", person=member.person, until=again_at)
    return _("You will see it again.")


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
    return _("Saved.")


def choose_seller(member: Member, params: Params, now: datetime) -> str:
    seller = Seller.objects.filter(pk=params["seller"], members__person=member.person).first()
    if seller is None:
        raise Refused(_("You are not a member of this seller's team."))
    Person.objects.filter(pk=member.person_id).update(active_seller=seller)
    return _("Saved.")


ACTIONS: dict[str, Callable[[Member, Params, datetime], str]] = {
    "proposal.approve": approve_proposal,
    "proposal.reject": reject_proposal,
    "proposal.later": later,
    "experiment.keep": keep_price,
    "experiment.roll_back": roll_price_back,
    "experiment.extend": extend_experiment,
    "settings.language": choose_language,
    "settings.seller": choose_seller,
}


def press(*, token: str, telegram_id: int, now: datetime) -> tuple[Press, str]:
    """Spend a button and do what it says. Returns what was pressed, and a short answer in the presser's language.

    Raises `UserError`. Where a rule forbids the action only for now, the card's buttons work again.
    """
    pressed = claim(token=token, telegram_id=telegram_id, now=real_now())
    try:
        return pressed, ACTIONS[pressed.action](_presser(pressed), pressed.params, now)
    except UserError as error:
        if not isinstance(error, AlreadyDecided | lifecycle.AlreadyOver):
            give_back(pressed)
        raise
    except Exception:
        give_back(pressed)
        raise


def _presser(pressed: Press) -> Member:
    member = member_of(pressed.person, pressed.seller)
    if member is None:
        raise Denied(_("You are no longer a member of this seller's team."))
    return member
