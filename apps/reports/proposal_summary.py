"""The morning's cards in one message: how many there are, those that may be applied together, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.decisions.four_eyes import rules_of
from apps.decisions.models import Batch, Proposal
from apps.decisions.together import fit_together
from apps.decisions.words import say, say_renewal
from apps.notifications.models import OutboxMessage
from apps.reports.proposal_card import price_change
from apps.reports.rendering import Button, Rendered, Rows, from_template
from apps.shops.models import Shop, member_of
from apps.shops.roles import Action, may

OUTCOMES: dict[str, str | Promise] = {
    Batch.Outcome.APPLIED: gettext_lazy("accepted, it is being sent."),
    Batch.Outcome.ONE_MORE: gettext_lazy("accepted, one more person has to agree."),
    Batch.Outcome.REFUSED: gettext_lazy("refused."),
    Batch.Outcome.STALE: gettext_lazy("out of date, not applied."),
    Batch.Outcome.LEFT_OUT: gettext_lazy("left out: it was changed or decided on since."),
}


def proposal_summary(message: OutboxMessage, now: datetime) -> Rendered:
    shop = Shop.objects.of(message.seller).get(pk=message.params["shop"])
    member = member_of(message.person, message.seller)
    day = date.fromisoformat(message.params["day"])
    batch = Batch.objects.filter(shop=shop, member=member, day=day).first()
    waiting = Proposal.objects.filter(shop=shop, state=Proposal.State.PENDING, expires_at__gt=now, reverses=None)
    fit = fit_together(shop, now=now).count()
    question = batch if batch and not batch.answered_at else None
    context = {
        "shop": shop,
        "currency": shop.currency,
        "waiting": waiting.count(),
        "fit": fit,
        "limit": -(rules_of(shop).together_worst or 0),
        "question": question,
        "asked": len(question.asked) if question else 0,
        "outcomes": [_line(batch, one) for one in batch.outcomes] if batch else [],
    }
    return from_template("proposal_summary", context, _rows(shop, question, fit) if may(member, Action.APPROVE) else ())


def _rows(shop: Shop, question: Batch | None, fit: int) -> Rows:
    if question:
        params = {"batch": question.pk}
        yes = Button(_("Yes, apply %(count)s") % {"count": len(question.asked)}, "together.apply", params)
        return ((yes, Button(_("No"), "together.leave", params)),)
    return (
        ((Button(_("Apply %(count)s together…") % {"count": fit}, "together.ask", {"shop": shop.pk}),),) if fit else ()
    )


def _line(batch: Batch, outcome: dict[str, Any]) -> dict[str, Any]:
    """One proposal of the batch, and what became of it."""
    proposal = Proposal.objects.get(pk=outcome["proposal"], shop=batch.shop)
    problem = outcome["problem"]
    words = {"kind": proposal.kind, "currency": proposal.currency}
    why = f"{say(problem, **words)} {say_renewal(problem, **words)}".strip()
    return {**price_change(proposal, batch.shop_id), "outcome": OUTCOMES[outcome["code"]], "why": why}
