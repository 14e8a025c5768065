"""When the word of one person is not enough.

Going back to what stood before never waits for a second person. Where there is no second person, nothing that needs one
waits in vain: it is not proposed, or closed, and that is told.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from apps.common.periods import day_of, start_of
from apps.decisions.kinds import Objection, kind_of, payload_of
from apps.decisions.models import Approval, DecisionRules, Proposal
from apps.notifications.outbox import people_who_may, tell
from apps.shops.models import Shop, members_who_may
from apps.shops.roles import Action

ONE, TWO = 1, 2


def rules_of(shop: Shop) -> DecisionRules:
    """The shop's rules; until somebody sets them, the defaults hold."""
    return DecisionRules.objects.filter(shop=shop).first() or DecisionRules(shop=shop)


def people_needed(proposal: Proposal, *, now: datetime) -> int:
    """How many different people have to agree. It counts what was approved today: a decision asks under the lock."""
    if proposal.reverses_id:
        return ONE
    rules = rules_of(proposal.shop)
    asks_for_two = is_large(proposal, rules) or _is_one_too_many(proposal, rules, now)
    return max(proposal.needed, TWO if asks_for_two else ONE)


def too_few(proposal: Proposal, needed: int) -> Objection | None:
    """More people would have to agree than may approve now: their word would never be enough."""
    may = members_who_may(proposal.shop.seller, Action.APPROVE).count()
    return Objection("too_few_people", {"needed": needed, "may": may}) if needed > max(may, ONE) else None


def tell_too_few(shop: Shop, count: int, *, now: datetime) -> None:
    """That so many changes cannot be decided on for want of people: once a day."""
    day = day_of(now, shop.timezone)
    tell(
        name="too_few_people",
        key=f"too_few_people:{shop.pk}:{day}",
        seller=shop.seller,
        people=people_who_may(shop.seller, Action.APPROVE),
        params={"shop": shop.pk, "count": count},
    )


def agreed(proposal: Proposal) -> QuerySet[Approval]:
    """The yes of those who may still say it: who has left the team, or lost the right, does not count."""
    approvers = members_who_may(proposal.shop.seller, Action.APPROVE)
    found: QuerySet[Approval] = proposal.approvals.filter(verdict=Approval.Verdict.APPROVE, member__in=approvers)
    return found.select_related("member__person__user").order_by("at", "pk")


def is_large(proposal: Proposal, rules: DecisionRules) -> bool:
    """Whether its step or its money is above what one person may decide on. Unknown money may be any money."""
    step = kind_of(proposal).step_rate(payload_of(proposal))
    known = [abs(money) for money in (proposal.effect, proposal.worst_case) if money is not None]
    return _is_above(step, rules.two_above_step_rate) or _is_above(max(known, default=None), rules.two_above_money)


def _is_above(value: Decimal | None, limit: Decimal | None) -> bool:
    return limit is not None and (value is None or value > limit)


def _is_one_too_many(proposal: Proposal, rules: DecisionRules, now: datetime) -> bool:
    if rules.two_above_products is None:
        return False
    zone = proposal.shop.timezone
    approved = Proposal.objects.filter(
        shop=proposal.shop,
        state=Proposal.State.APPROVED,
        reverses=None,
        decided_at__gte=start_of(day_of(now, zone), zone),
    )
    others = approved.exclude(target=proposal.target).values("target").distinct().count()
    return others + 1 > rules.two_above_products
