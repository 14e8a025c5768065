"""Applying many proposals with one word: those whose worst case is better than a limit that the shop has set.

The one who wants to is asked once more, with the sums; then each proposal passes the same gate as alone, bound to what
it held when asked.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.common.errors import NotFound, Refused
from apps.common.periods import day_of
from apps.decisions.approval import AlreadyDecided, Objected, OutOfDate, approve
from apps.decisions.four_eyes import rules_of
from apps.decisions.models import Batch, Proposal
from apps.notifications.outbox import people_who_may, retell, tell
from apps.shops.audit import record
from apps.shops.models import Member, Shop
from apps.shops.roles import Action, require

FEWEST = 2
"""One card is applied by its own button."""


def fit_together(shop: Shop, *, now: datetime) -> QuerySet[Proposal]:
    """What may be applied together, the largest expected gain first. An unknown worst case may be any."""
    waiting = Proposal.objects.filter(shop=shop, state=Proposal.State.PENDING, expires_at__gt=now, reverses=None)
    limit = rules_of(shop).together_worst
    if limit is None:
        return waiting.none()
    found: QuerySet[Proposal] = waiting.filter(worst_case__gt=-limit, effect__isnull=False).order_by("-effect", "pk")
    return found


def show_summary(shop: Shop, *, now: datetime, expires_at: datetime) -> None:
    """Tell the approvers how many cards have come and what may be done with them at once; nothing where too few fit."""
    if fit_together(shop, now=now).count() < FEWEST:
        return
    day = day_of(now, shop.timezone)
    tell(
        name="proposal_summary",
        key=_subject(shop, day),
        seller=shop.seller,
        people=people_who_may(shop.seller, Action.APPROVE),
        params={"shop": shop.pk, "day": str(day)},
        subject=_subject(shop, day),
        expires_at=expires_at,
    )


@transaction.atomic
def ask(*, shop_id: int, by: Member, now: datetime) -> Batch:
    """Note what fits now, and its sums, for the question to show. Raises `Denied`, `NotFound` or `Refused`."""
    require(by, Action.APPROVE)
    shop = Shop.objects.find(by.seller, pk=shop_id)
    found = list(fit_together(shop, now=now))
    if not found:
        raise Refused(_("There is nothing left that may be applied together."))
    batch: Batch = Batch.objects.create(
        shop=shop,
        member=by,
        day=day_of(now, shop.timezone),
        asked=[{"proposal": one.pk, "hash": one.payload_hash} for one in found],
        effect=sum((one.effect for one in found if one.effect is not None), Decimal(0)),
        worst_case=sum((one.worst_case for one in found if one.worst_case is not None), Decimal(0)),
        asked_at=now,
    )
    retell(_subject(shop, batch.day))
    return batch


@transaction.atomic
def apply(*, batch_id: int, by: Member, now: datetime) -> Batch:
    """The yes: once. Each proposal is approved as if it stood alone; what became of it is in `outcomes`."""
    batch = _unanswered(batch_id, by)
    batch.answered_at = now
    batch.outcomes = [_apply_one(batch, one, by, now) for one in batch.asked]
    batch.save(update_fields=["answered_at", "outcomes"])
    record("batch.applied", actor=by.person, shop=batch.shop, subject=batch, outcomes=batch.outcomes)
    retell(_subject(batch.shop, batch.day))
    return batch


@transaction.atomic
def leave(*, batch_id: int, by: Member) -> None:
    """The no: the question goes, every card stays."""
    batch = _unanswered(batch_id, by)
    retell(_subject(batch.shop, batch.day))
    batch.delete()


def _unanswered(batch_id: int, by: Member) -> Batch:
    require(by, Action.APPROVE)
    batches = Batch.objects.select_for_update(of=("self",)).select_related("shop__seller")
    batch = batches.filter(pk=batch_id, member=by).first()
    if batch is None:
        raise NotFound(_("There is no such question any more."))
    if batch.answered_at:
        raise Refused(_("This was answered already."))
    return batch


def _apply_one(batch: Batch, asked: dict[str, Any], by: Member, now: datetime) -> dict[str, Any]:
    """Not in a transaction of its own: a refusal may change the proposal, and that is to stay."""
    code, problem = _decide(batch, asked, by, now)
    return {"proposal": asked["proposal"], "code": code.value, "problem": problem}


def _decide(batch: Batch, asked: dict[str, Any], by: Member, now: datetime) -> tuple[Batch.Outcome, dict[str, Any]]:
    proposal = Proposal.objects.get(pk=asked["proposal"], shop=batch.shop)
    if proposal.state != Proposal.State.PENDING or proposal.payload_hash != asked["hash"]:
        return Batch.Outcome.LEFT_OUT, {}
    try:
        command = approve(proposal_id=proposal.pk, payload_hash=asked["hash"], by=by, now=now)
    except AlreadyDecided:
        return Batch.Outcome.LEFT_OUT, {}
    except OutOfDate as refusal:
        return Batch.Outcome.STALE, refusal.proposal.outcome
    except Objected as refusal:
        return Batch.Outcome.REFUSED, refusal.objection.as_json()
    return (Batch.Outcome.APPLIED if command else Batch.Outcome.ONE_MORE), {}


def _subject(shop: Shop, day: date) -> str:
    return f"proposals:{shop.pk}:{day}"
