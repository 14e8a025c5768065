"""A card whose figures have moved: what moved, and the same product looked at anew by the same analysis."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from apps.decisions.four_eyes import rules_of as decision_rules
from apps.decisions.models import Proposal
from apps.pricing.analysis import FACTS, Candidate, put_forward
from apps.pricing.choice import choose
from apps.pricing.facts import load_facts, rules_of
from apps.pricing.kinds import PricePayload
from apps.pricing.models import PriceRecommendation
from apps.pricing.moves import Then, first_move
from apps.pricing.records import PriceFacts, Violation


def what_moved(proposal: Proposal, payload: PricePayload) -> Violation | None:
    """What has moved under the proposal; nothing under one that was not made from facts, such as a rollback."""
    recommendation = PriceRecommendation.objects.filter(proposal=proposal).first()
    if recommendation is None:
        return None
    facts = _facts_now(proposal, payload.product_id)
    if facts is None:
        return Violation("price_unknown", {})
    return first_move(
        Then(
            price=payload.price,
            before=FACTS.validate_python(recommendation.facts),
            after=facts,
            rules=rules_of(proposal.shop),
            moved_rate=decision_rules(proposal.shop).moved_rate,
        )
    )


def renew(proposal: Proposal, *, now: datetime) -> Proposal | Violation:
    """The price of today's figures, on a card of its own that is good for as long; or what stands against any.

    The product's turn had come with the card that went out of date: that look does not count as one.
    """
    facts = _facts_now(proposal, PricePayload.model_validate(proposal.payload).product_id)
    if facts is None:
        return Violation("price_unknown", {})
    rules = rules_of(proposal.shop)
    facts = replace(facts, days_since_review=rules.days_between_changes)
    choice = choose(facts, rules)
    if isinstance(choice, Violation):
        return choice
    return put_forward(proposal.shop, Candidate(facts, choice), rules, now, proposal.expires_at)


def _facts_now(proposal: Proposal, product_id: int) -> PriceFacts | None:
    return next(iter(load_facts(proposal.shop, product_ids=[product_id])), None)
