"""Proposals, commands, experiments and verdicts in any state, written down by hand; and messages read as people do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import translation

from apps.catalog.models import Product
from apps.decisions.kinds import hash_of
from apps.decisions.models import Approval, Command, Proposal
from apps.experiments.models import Experiment, Verdict
from apps.experiments.verdicts import Money
from apps.marketplaces.standins.telegram.markup import parse_html
from apps.marketplaces.standins.telegram.params import LONGEST_TEXT
from apps.notifications.models import OutboxMessage
from apps.pricing.analysis import CHOICE, FACTS, REASONS
from apps.pricing.kinds import PricePayload
from apps.pricing.models import PriceRecommendation
from apps.pricing.reasons import reasons
from apps.pricing.records import Choice
from apps.reports.messages import render
from apps.reports.rendering import Rendered
from apps.shops.models import Language, Member
from bots.actions import ACTIONS
from tests.inventory.shelf import MORNING, TODAY
from tests.pricing.cases import RULES, D, facts

LANGUAGES = tuple(Language.values)
TO_THE_PAGE = "\n\nAll about this decision"
"""How the cards of a decision end: with the link to its page."""
NOW = MORNING + timedelta(hours=3, minutes=30)
"""Half past twelve in Moscow; the data are of nine."""


@dataclass(frozen=True)
class Read:
    """A message as its recipient sees it: the text without tags, the buttons as (action, params), where links lead."""

    html: str
    text: str
    buttons: tuple[tuple[str, dict[str, Any]], ...]
    links: tuple[str, ...] = ()

    @property
    def actions(self) -> list[str]:
        return [action for action, _ in self.buttons]


def read(rendered: Rendered) -> Read:
    """What Telegram makes of it; refuses what Telegram would refuse."""
    formatted = parse_html(rendered.text)
    assert 0 < len(formatted.text) <= LONGEST_TEXT
    buttons = [button for row in rendered.rows for button in row]
    assert all(str(button.label).strip() and button.action in ACTIONS for button in buttons)
    text = formatted.text.replace("\xa0", " ")
    assert "None" not in text
    assert "%(" not in text
    links = tuple(entity["url"] for entity in formatted.entities if entity["type"] == "text_link")
    return Read(rendered.text, text, tuple((button.action, dict(button.params)) for button in buttons), links)


def told(to: Member, name: str, *, language: str = "en", now: datetime = NOW, **message: Any) -> Read:
    """The message `name` with these params, as `to` reads it."""
    to.person.language = language
    fields = {key: message.pop(key) for key in ("put_off_until", "is_repeat") if key in message}
    return read(render(OutboxMessage(name=name, seller=to.seller, person=to.person, params=message, **fields), now=now))


def asked(answer: Any, by: Member, *, language: str = "en", now: datetime = NOW) -> Read:
    """What the bot answers to `by`."""
    by.person.language = language
    with translation.override(language):
        return read(answer(by, now))


def choice(**changes: Any) -> Choice:
    """From 1000 to 1090 on two a day: better in 97 of 100 cases."""
    chosen: dict[str, Any] = {
        "price": D(1090),
        "current_price": D(1000),
        "floor_price": D(700),
        "units_now": D(2),
        "units_then": D("1.76"),
        "revenue_now": D(2000),
        "revenue_then": D("1918.40"),
        "profit_now": D(650),
        "difference": Money(D("310.40"), D("-42.13"), D("960.00"), D("-120.00")),
        "probability_better": D("0.9712"),
        "score_gain": D(310),
        "holding_per_unit": D(0),
        "prior_mean": D("-2.2"),
        "prior_sd": D("1.2"),
        "prior_experiments": 0,
        "left_out": ("ad_rate",),
    }
    return Choice(**(chosen | changes))


def proposal(product: Product, *, chosen: Choice | None = None, **columns: Any) -> Proposal:
    """A proposal from the product's price to 1090, made this morning and good until tomorrow's analysis."""
    chosen = chosen or choice()
    payload = PricePayload(
        product_id=product.pk,
        external_id=product.external_id,
        currency=product.currency,
        price=chosen.price,
        old_price=D(0),
        expected_price=chosen.current_price,
        expected_old_price=None,
    )
    made = Proposal.objects.create(
        **{
            "shop": product.shop,
            "kind": "price",
            "target": f"price:{product.pk}",
            "payload": payload.model_dump(mode="json"),
            "payload_hash": hash_of(payload),
            "currency": product.currency,
            "effect": chosen.difference.expected,
            "effect_low": chosen.difference.low,
            "effect_high": chosen.difference.high,
            "worst_case": chosen.difference.worst,
            "created_at": MORNING,
            "data_as_of": MORNING,
            "expires_at": MORNING + timedelta(hours=24, minutes=30),
            **columns,
        }
    )
    if made.reverses is None:
        looked_at = facts(stock=12, units_last_7=21, units_previous_7=9)
        PriceRecommendation.objects.create(
            proposal=made,
            product=product,
            facts=FACTS.dump_python(looked_at, mode="json"),
            reasons=REASONS.dump_python(reasons(looked_at, RULES, chosen), mode="json"),
            choice=CHOICE.dump_python(chosen, mode="json"),
        )
    return made


def decided(made: Proposal, by: Member, *, state: str = "approved") -> Proposal:
    verdict = Approval.Verdict.APPROVE if state == "approved" else Approval.Verdict.REJECT
    Approval.objects.create(proposal=made, member=by, verdict=verdict, at=NOW)
    made.state, made.decided_at = state, NOW
    made.save()
    return made


def command(of: Proposal, *, state: str, **columns: Any) -> Command:
    return Command.objects.create(
        **{
            "proposal": of,
            "shop": of.shop,
            "kind": of.kind,
            "target": of.target,
            "payload": of.payload,
            "payload_hash": of.payload_hash,
            "account": "101",
            "state": state,
            "due_at": NOW,
            "created_at": NOW,
            "sent_at": NOW + timedelta(minutes=1),
            "verified_at": NOW + timedelta(minutes=2) if state == "verified" else None,
            **columns,
        }
    )


def experiment(product: Product, by: Member, *, state: str = "running", **columns: Any) -> Experiment:
    """From the day after `TODAY` on, for a week, after a proposal that `by` approved."""
    carried_out = command(decided(proposal(product), by), state="verified")
    return Experiment.objects.create(
        **{
            "shop": product.shop,
            "product": product,
            "command": carried_out,
            "state": state,
            "starts_on": TODAY + timedelta(days=1),
            "days": 7,
            "price_from": Decimal(1000),
            "price_to": Decimal(1090),
            "currency": product.currency,
            "economics": {},
            **columns,
        }
    )


def verdict(of: Experiment, *, as_of: date = TODAY + timedelta(days=8), **columns: Any) -> Verdict:
    """Profit +12 % (+2..+21), 97 % sure; 41 units where 38.2 were expected."""
    return Verdict.objects.create(
        **{
            "experiment": of,
            "as_of": as_of,
            "result": "SUCCESS",
            "lean": "keep",
            "advice": "keep",
            "reasons": [],
            "basis": "PROFIT",
            "probability": 0.9731,
            "prior_probability": 0.61,
            "effect": 0.124,
            "effect_low": 0.021,
            "effect_high": 0.213,
            "loss_if_kept": 0.001,
            "loss_if_rolled_back": 0.125,
            "per_day": Decimal("310.40"),
            "per_day_low": Decimal("42.00"),
            "per_day_high": Decimal("520.00"),
            "observed": 41,
            "expected": 38.2,
            "shop_change": 0.062,
            "valid_days": 7,
            "inferred_days": 0,
            "controls": 120,
            "log_likelihood": [0.0],
            **columns,
        }
    )
