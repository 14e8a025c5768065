"""The morning's price analysis: every product looked at, the best few proposed.

What becomes of each product is counted by its reason, so that a shop without cards can be told why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from apps.catalog.models import Product
from apps.common.errors import Refused
from apps.common.periods import day_of, start_of
from apps.decisions.approval import Objected, propose, show
from apps.decisions.four_eyes import tell_too_few
from apps.decisions.kinds import Draft
from apps.decisions.models import Proposal
from apps.decisions.together import show_summary
from apps.pricing.choice import choose
from apps.pricing.facts import load_facts, rules_of
from apps.pricing.guardrails import controls_needed
from apps.pricing.kinds import SetPrice, draft_of, treated_products
from apps.pricing.models import PriceRecommendation
from apps.pricing.reasons import reasons
from apps.pricing.records import Choice, PriceFacts, PriceRules, Reason, Violation
from apps.sales.shop_sync import is_complete
from apps.shops.models import Shop

FACTS = TypeAdapter(PriceFacts)
CHOICE = TypeAdapter(Choice)
REASONS = TypeAdapter(tuple[Reason, ...])


@dataclass(frozen=True)
class Candidate:
    facts: PriceFacts
    choice: Choice


def analyse(*, shop: Shop, now: datetime, expires_at: datetime) -> dict[str, int]:
    """Propose today's prices and put their cards before the approvers.

    Returns how many products were proposed and, by code, what kept the others. Raises `Refused` while this morning's
    data are not complete.
    """
    if not is_complete(shop, day_of(now, shop.timezone)):
        raise Refused(_("The data of this morning are not complete yet; prices are analysed after the sync."))
    facts, rules = load_facts(shop), rules_of(shop)
    candidates, counts = _candidates(facts, rules)
    room = _room(shop, len(facts), rules, now)
    for candidate in candidates:
        is_left = counts["proposed"] >= room
        counts["left_for_later" if is_left else _propose(shop, candidate, rules, now, expires_at)] += 1
    if too_few := counts["too_few_people"]:
        tell_too_few(shop, too_few, now=now)
    show_summary(shop, now=now, expires_at=expires_at)
    return dict(counts)


def _candidates(facts: list[PriceFacts], rules: PriceRules) -> tuple[list[Candidate], Counter[str]]:
    """What is worth a change, the largest expected gain first; and why the others are not."""
    found: list[Candidate] = []
    counts: Counter[str] = Counter()
    for one in facts:
        choice = choose(one, rules)
        if isinstance(choice, Violation):
            counts[choice.code] += 1
        else:
            found.append(Candidate(one, choice))
    return sorted(found, key=lambda one: (-one.choice.difference.expected, one.facts.product_id)), counts


def _room(shop: Shop, total: int, rules: PriceRules, now: datetime) -> int:
    """How many more cards make sense today: the shop's own limit, and never more than the controls can bear.

    The cards of an earlier run of this day count: it may have died half-way, or somebody may have asked for another.
    """
    today = start_of(day_of(now, shop.timezone), shop.timezone)
    made = Proposal.objects.filter(shop=shop, kind=SetPrice.key, reverses=None, created_at__gte=today)
    waiting = made.filter(state=Proposal.State.PENDING).count()
    bearable = total - controls_needed(total, rules) - len(treated_products(shop, now=now))
    return max(0, min(shop.pricing.cards_per_day - made.count(), bearable - waiting))


def put_forward(
    shop: Shop, candidate: Candidate, rules: PriceRules, now: datetime, expires_at: datetime
) -> Proposal | Violation:
    """The candidate's proposal with its facts and its card, or the guardrail that stands against it."""
    try:
        with transaction.atomic():
            proposal = _proposal(shop, candidate, now, expires_at)
            _remember(proposal, candidate, rules)
            show(proposal)
    except Objected as refusal:
        return Violation(refusal.objection.code, refusal.objection.figures)
    return proposal


def _propose(shop: Shop, candidate: Candidate, rules: PriceRules, now: datetime, expires_at: datetime) -> str:
    made = put_forward(shop, candidate, rules, now, expires_at)
    return made.code if isinstance(made, Violation) else "proposed"


def _proposal(shop: Shop, candidate: Candidate, now: datetime, expires_at: datetime) -> Proposal:
    product = Product.objects.get(pk=candidate.facts.product_id)
    difference = candidate.choice.difference
    draft = Draft(
        payload=draft_of(product, candidate.choice.price),
        currency=product.currency,
        effect=difference.expected,
        effect_low=difference.low,
        effect_high=difference.high,
        worst_case=difference.worst,
        data_as_of=candidate.facts.as_of,
    )
    return propose(shop=shop, kind=SetPrice(), draft=draft, now=now, expires_at=expires_at)


def _remember(proposal: Proposal, candidate: Candidate, rules: PriceRules) -> None:
    PriceRecommendation.objects.create(
        proposal=proposal,
        product_id=candidate.facts.product_id,
        facts=FACTS.dump_python(candidate.facts, mode="json"),
        reasons=REASONS.dump_python(reasons(candidate.facts, rules, candidate.choice), mode="json"),
        choice=CHOICE.dump_python(candidate.choice, mode="json"),
    )
