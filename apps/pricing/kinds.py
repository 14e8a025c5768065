"""Setting a price at OZON: the kind of change that the gate knows as "price"."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict

from apps.catalog.models import Participation, PriceChange, Product
from apps.catalog.promotions import running
from apps.common import formats
from apps.common.clock import real_now
from apps.common.errors import NotFound
from apps.common.periods import day_of
from apps.decisions.kinds import Accepted, Checked, Draft, Match, Measured, NotAccepted, Objection, Reading
from apps.decisions.models import Attempt, Command, Proposal
from apps.experiments.lifecycle import without_experiment
from apps.experiments.models import Experiment
from apps.experiments.review import ECONOMICS
from apps.marketplaces.errors import ApiError, Malformed
from apps.marketplaces.ozon_seller import price_import
from apps.marketplaces.ozon_seller.client import OzonSeller
from apps.marketplaces.ozon_seller.price_import import PriceItem
from apps.marketplaces.ozon_seller.schemas import ProductPrice
from apps.pricing import promotions, words
from apps.pricing.economics import change_economics, unit_costs
from apps.pricing.facts import load_facts, on_sale, rules_of
from apps.pricing.guardrails import Finding, findings, old_price_for, quota_left
from apps.pricing.records import Figure, InPromotion, LivePrice, Passed, PriceFacts, SendContext, Violation
from apps.shops.clients import ozon_seller
from apps.shops.models import Credential, KillSwitch, Shop

log = logging.getLogger(__name__)

MOST_PRICES = 1000
"""So many products OZON tells the prices of at once."""
QUOTA_HOUR = timedelta(hours=1)


class PricePayload(BaseModel):
    """Absolute values in `currency`: what to set, and what stood there. `old_price` 0 removes the crossed-out price.

    `restores` is the price that stood before our own change, when that is what this one brings back.
    """

    model_config = ConfigDict(frozen=True)

    product_id: int
    external_id: str
    currency: str
    price: Decimal
    old_price: Decimal
    expected_price: Decimal
    expected_old_price: Decimal | None
    restores: Decimal | None = None


class SetPrice:
    """See `apps.decisions.kinds.Kind`, which this class satisfies."""

    key: ClassVar[str] = "price"
    payload_model: ClassVar[type[BaseModel]] = PricePayload

    def target(self, payload: PricePayload) -> str:
        return f"price:{payload.product_id}"

    def account(self, shop: Shop) -> str:
        credential = Credential.objects.filter(shop=shop, api=Credential.Api.OZON_SELLER).first()
        return credential.client_id if credential else ""

    def step_rate(self, payload: PricePayload) -> Decimal | None:
        return abs(payload.price / payload.expected_price - 1)

    def moved(self, proposal: Proposal, payload: PricePayload, *, now: datetime) -> Objection | None:
        from apps.pricing.renewal import what_moved  # which proposes through this kind

        found = what_moved(proposal, payload)
        return replace(_objection(found), is_stale=True) if found else None

    def renew(self, proposal: Proposal, *, now: datetime) -> Proposal | Objection:
        from apps.pricing.renewal import renew  # which proposes through this kind

        made = renew(proposal, now=now)
        return _objection(made) if isinstance(made, Violation) else made

    def check(
        self, subject: Proposal | Command, payload: PricePayload, *, now: datetime, reading: Reading | None = None
    ) -> Checked:
        facts = load_facts(subject.shop, product_ids=[payload.product_id])
        if not facts:
            return Checked(objection=Objection("price_unknown", is_stale=True))
        context = _context(subject, payload, facts[0], now, _live(reading) if reading else None)
        found: tuple[Finding, ...] = findings(context, payload.price)
        if isinstance(subject, Command):
            found += (quota_left(context, payload.price),)
        violation = next((one for one in found if isinstance(one, Violation)), None)
        return Checked(
            passed=tuple(
                {"code": one.code, "figures": _as_json(one.figures)} for one in found if isinstance(one, Passed)
            ),
            objection=_against(violation, subject) if violation else None,
        )

    def read(self, shop: Shop, payload: PricePayload) -> Reading:
        (reading,) = self.read_many(shop, [payload])
        if reading is None:
            raise Malformed(
                "OZON Seller", "/v5/product/info/prices", "the product or its price is not in the answer", 200
            )
        return reading

    def read_many(self, shop: Shop, payloads: Sequence[PricePayload]) -> list[Reading | None]:
        shown: dict[str, ProductPrice] = {}
        client = _client(shop)
        for start in range(0, len(payloads), MOST_PRICES):
            ids = [int(payload.external_id) for payload in payloads[start : start + MOST_PRICES]]
            pages = client.prices(product_ids=ids)
            shown.update({str(row.product_id): row for page in pages for row in page.rows})
        return [_reading(shown.get(payload.external_id), payload) for payload in payloads]

    def request(self, payload: PricePayload) -> Mapping[str, Any]:
        return {"path": price_import.PATH, "body": price_import.payload([_item(payload)])}

    def send(self, shop: Shop, payload: PricePayload) -> Accepted | NotAccepted:
        client = _client(shop)
        (outcome,) = client.import_prices([_item(payload)])
        if outcome.updated or outcome.updated is None:
            answer = {"updated": outcome.updated, "errors": [error.message for error in outcome.errors]}
            return Accepted(answer | _renew_minimum(client, shop, payload))
        code = outcome.errors[0].code if outcome.errors else "not_updated"
        message = "; ".join(error.message or error.code for error in outcome.errors)
        return NotAccepted(code, message, is_quota=any(error.is_limit for error in outcome.errors))

    def record(self, command: Command, payload: PricePayload, *, now: datetime) -> None:
        Product.objects.filter(pk=payload.product_id, shop=command.shop).update(
            price=payload.price, old_price=payload.old_price or None
        )
        if _was_seen(command, payload):
            return
        PriceChange.objects.get_or_create(
            command_id=command.pk,
            defaults={
                "product_id": payload.product_id,
                "seen_at": now,
                "seen_on": day_of(now, command.shop.timezone),
                "price_from": payload.expected_price,
                "price_to": payload.price,
                "currency": payload.currency,
                "source": PriceChange.Source.VITRINA,
            },
        )

    def measured(self, command: Command, payload: PricePayload) -> Measured | None:
        """The unit economics of the moment of sending, frozen for the verdict."""
        facts = load_facts(command.shop, product_ids=[payload.product_id])
        rules = rules_of(command.shop)
        costs = unit_costs(facts[0], rules) if facts else None
        if costs is None or isinstance(costs, Violation):
            return None
        economics = change_economics(costs, price_from=payload.expected_price, price_to=payload.price)
        return Measured(
            product_id=payload.product_id,
            price_from=payload.expected_price,
            price_to=payload.price,
            economics=ECONOMICS.dump_python(economics, mode="json"),
            days=command.shop.pricing.experiment_days,
        )

    def reverse(self, command: Command, payload: PricePayload) -> Draft:
        restored = payload.expected_price
        return Draft(
            payload=PricePayload(
                product_id=payload.product_id,
                external_id=payload.external_id,
                currency=payload.currency,
                price=restored,
                old_price=old_price_for(restored, payload.expected_old_price, payload.currency),
                expected_price=payload.price,
                expected_old_price=payload.old_price or None,
                restores=restored,
            ),
            currency=payload.currency,
        )

    def say(self, code: str, figures: Mapping[str, Any], *, currency: str) -> str:
        return words.say(code, figures, currency=currency)

    def in_words(self, payload: PricePayload) -> str:
        before, after = (formats.money(price, payload.currency) for price in (payload.expected_price, payload.price))
        return f"{before} → {after} ({formats.change(payload.price / payload.expected_price - 1)})"


def draft_of(product: Product, price: Decimal) -> PricePayload:
    """The payload that sets `price` on a product as it stands now. Raises `NotFound` without a current price."""
    if product.price is None:
        raise NotFound(_("The current price of %(product)s is not known.") % {"product": product})
    return PricePayload(
        product_id=product.pk,
        external_id=product.external_id,
        currency=product.currency,
        price=price,
        old_price=old_price_for(price, product.old_price, product.currency),
        expected_price=product.price,
        expected_old_price=product.old_price,
    )


def warnings_of(shop: Shop, payload: PricePayload, *, now: datetime) -> list[str]:
    """What whoever decides on this price must know besides, in words, in the active language."""
    found = promotions.warnings(_promotions(shop, payload.product_id, now), payload.expected_price, payload.price)
    found += _renewal(shop, payload)
    return [words.say(warning.code, warning.figures, currency=payload.currency) for warning in found]


def treated_products(shop: Shop, *, now: datetime) -> set[int]:
    """Products that are not untouched: under an experiment, a live command, or an approved proposal that has not come
    to either yet. Rollbacks do not count: they end a treatment."""
    experiments = Experiment.objects.filter(shop=shop, state__in=Experiment.LIVE)
    live = Command.objects.filter(state__in=Command.LIVE, proposal__reverses=None)
    targets = (live | without_experiment(now=now)).filter(shop=shop, kind=SetPrice.key).values_list("target", flat=True)
    return {*experiments.values_list("product_id", flat=True), *(int(target.partition(":")[2]) for target in targets)}


def updates_last_hour(shop: Shop, target: str) -> int:
    """Sends of this target, by whatever command: what the marketplace's quota counts."""
    return _updates(shop, target).count()


def quota_frees_at(shop: Shop, target: str, *, allowed: int) -> datetime | None:
    """The moment, in real time, at which fewer than `allowed` sends lie in the last hour; None when that is so now."""
    newest = _updates(shop, target).order_by("-started_at").values_list("started_at", flat=True)[:allowed]
    return newest[allowed - 1] + QUOTA_HOUR if len(newest) == allowed else None


def _client(shop: Shop) -> OzonSeller:
    """A client that gives up while the command's lease still has time."""
    return ozon_seller(shop, patience_seconds=settings.LEASE_MARGIN_SECONDS / 2)


def _updates(shop: Shop, target: str) -> QuerySet[Attempt]:
    since = real_now() - QUOTA_HOUR
    return Attempt.objects.filter(command__shop=shop, command__target=target, started_at__gt=since)


def _renewal(shop: Shop, payload: PricePayload) -> tuple[Violation, ...]:
    product = _with_running_minimum(shop, payload).first()
    if product is None or product.min_price is None or product.min_price_until is None:
        return ()
    ends_on = day_of(product.min_price_until, shop.timezone)
    return (Violation("minimum_renewed", {"min_price": product.min_price, "ends_on": str(ends_on)}),)


def _with_running_minimum(shop: Shop, payload: PricePayload) -> QuerySet[Product]:
    """The product, when its minimum price is in force: the guardrails, and the person who approves, rely on it."""
    return Product.objects.filter(
        pk=payload.product_id, shop=shop, min_price__isnull=False, min_price_until__isnull=False
    )


def _renew_minimum(client: OzonSeller, shop: Shop, payload: PricePayload) -> dict[str, str]:
    """Keep the minimum price in force for as long as the new price is measured, and longer.

    A minimum that has lapsed is not switched on again. The price was taken before: what becomes of the timer is noted
    in the answer and changes nothing about it.
    """
    if not _with_running_minimum(shop, payload).exists():
        return {}
    try:
        client.renew_price_timers([int(payload.external_id)])
    except ApiError as error:
        log.warning("the minimum price of %s was not renewed: %s", payload.external_id, error)
        return {"minimum": str(error)}
    return {"minimum": "renewed"}


def _context(
    subject: Proposal | Command, payload: PricePayload, facts: PriceFacts, now: datetime, live: LivePrice | None
) -> SendContext:
    shop = subject.shop
    switches = KillSwitch.objects.filter(Q(shop=shop) | Q(shop=None), is_on=True).values_list("shop_id", flat=True)
    stopped = set(switches)
    known = LivePrice(price=facts.price, currency=facts.currency, old_price=facts.old_price, min_price=facts.min_price)
    return SendContext(
        facts=facts,
        rules=rules_of(shop),
        now=now,
        live=live or known,
        expected_old=payload.expected_price,
        old_price=payload.old_price,
        updates_last_hour=updates_last_hour(shop, f"{SetPrice.key}:{payload.product_id}"),
        has_live_experiment=facts.in_experiment,
        skus_total=on_sale(shop).count(),
        treated_others=len(treated_products(shop, now=now) - {payload.product_id}),
        shop_stopped=shop.pk in stopped,
        all_stopped=None in stopped,
        restores=payload.restores,
        promotions=_promotions(shop, payload.product_id, now),
    )


def _promotions(shop: Shop, product_id: int, now: datetime) -> tuple[InPromotion, ...]:
    parts = Participation.objects.filter(product=product_id, promotion__in=running(shop, now))
    return tuple(
        InPromotion(
            title=part.promotion.title,
            action_price=part.action_price,
            max_action_price=part.max_action_price,
            ends_on=day_of(part.promotion.ends_at, shop.timezone) if part.promotion.ends_at else None,
            is_frozen=part.promotion.frozen_at is not None,
        )
        for part in parts.select_related("promotion").order_by("promotion_id")
    )


def _live(reading: Reading) -> LivePrice:
    value = reading.value
    return LivePrice(
        price=Decimal(value["price"]),
        currency=value["currency"],
        old_price=Decimal(value["old_price"]) if value["old_price"] is not None else None,
        min_price=Decimal(value["min_price"]) if value["min_price"] is not None else None,
    )


def _was_seen(command: Command, payload: PricePayload) -> bool:
    """Whether a sync met the new price before the read-back did: its line of the history becomes the command's."""
    last = PriceChange.objects.filter(product=payload.product_id).order_by("-pk").first()
    if last is None or last.command_id or (last.price_from, last.price_to) != (payload.expected_price, payload.price):
        return False
    last.command_id, last.source = command.pk, PriceChange.Source.VITRINA
    last.save(update_fields=["command_id", "source"])
    return True


def _item(payload: PricePayload) -> PriceItem:
    return PriceItem(
        price=payload.price,
        currency_code=payload.currency,
        product_id=int(payload.external_id),
        old_price=payload.old_price,
    )


def _reading(row: ProductPrice | None, payload: PricePayload) -> Reading | None:
    if row is None or row.price.price is None:
        return None
    price = row.price
    value = {
        "price": str(price.price),
        "currency": price.currency_code,
        "old_price": str(price.old_price) if price.old_price is not None else None,
        "min_price": str(price.min_price) if price.min_price is not None else None,
    }
    return Reading(value, _match(row.price.price, payload))


def _match(price: Decimal, payload: PricePayload) -> Match:
    if price == payload.price:
        return Match.TARGET
    return Match.OLD if price == payload.expected_price else Match.OTHER


def _against(violation: Violation, subject: Proposal | Command) -> Objection:
    """What stands against the change: a used up quota until it frees, everything else for good."""
    objection = _objection(violation)
    if violation.code != "quota_used":
        return objection
    until = quota_frees_at(subject.shop, subject.target, allowed=int(str(violation.figures["allowed"])))
    return replace(objection, until=until or real_now())


def _objection(violation: Violation) -> Objection:
    return Objection(violation.code, _as_json(violation.figures), is_stale=violation.code == "price_moved")


def _as_json(figures: Mapping[str, Figure]) -> dict[str, int | str]:
    return {name: figure if isinstance(figure, int | str) else str(figure) for name, figure in figures.items()}
