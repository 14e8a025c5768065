"""What the bot answers to its commands: to one member, in the active language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext as _

from apps.common.errors import NotFound
from apps.experiments.models import Experiment
from apps.inventory.cover import ShopCover, load_cover
from apps.reports import daily
from apps.reports.rendering import Button, Rendered, Rows, from_template, together
from apps.shops.models import Language, Member, Seller, Shop
from apps.shops.roles import Action, require

LONG_COVER_DAYS = 60
MOST_COVERS, MOST_EXPERIMENTS, MOST_OVER = 20, 15, 5


def welcome(member: Member, now: datetime) -> Rendered:
    return from_template("welcome", {"member": member})


def hint(member: Member, now: datetime) -> Rendered:
    """The answer to words that are no command."""
    return from_template("hint", {})


def help_text(member: Member, now: datetime) -> Rendered:
    return from_template("help", {})


def report(member: Member, now: datetime) -> Rendered:
    """The daily report on the last closed day of each shop, the same as the morning's message."""
    return _of_each_shop(
        member, lambda shop: daily.show(daily.build(shop, daily.last_closed_day(shop, now=now), now=now))
    )


def inventory(member: Member, now: datetime) -> Rendered:
    """How long the stock of each shop lasts, and what to order."""
    return _of_each_shop(member, lambda shop: _inventory(shop, load_cover(shop)))


def experiments(member: Member, now: datetime) -> Rendered:
    """What runs, what waits for a decision, and what was decided last."""
    require(member, Action.VIEW)
    mine = Experiment.objects.of(member.seller).select_related("product").prefetch_related("verdicts")
    live = mine.filter(state__in=Experiment.LIVE).order_by("state", "starts_on", "pk")
    over = mine.exclude(state__in=Experiment.LIVE).order_by(F("decided_at").desc(nulls_last=True), "-pk")
    context = {
        "live": live[:MOST_EXPERIMENTS],
        "left_out": max(live.count() - MOST_EXPERIMENTS, 0),
        "over": over[:MOST_OVER],
    }
    return from_template("experiments", context)


def settings(member: Member, now: datetime) -> Rendered:
    """Language and seller, with a button for each of the others."""
    person = member.person
    sellers = Seller.objects.filter(members__person=person).order_by("name", "pk")
    context = {"language": Language(person.language).label, "seller": member.seller, "member": member}
    languages = tuple(
        Button(language.label, "settings.language", {"language": language.value})
        for language in Language
        if language != person.language
    )
    others: Rows = tuple(
        (Button(seller.name, "settings.seller", {"seller": seller.pk}),)
        for seller in sellers
        if seller != member.seller
    )
    return from_template("settings", context, (languages, *others))


def _of_each_shop(member: Member, answer: Callable[[Shop], Rendered]) -> Rendered:
    require(member, Action.VIEW)
    shops = Shop.objects.of(member.seller).filter(is_active=True)
    if not shops:
        raise NotFound(_("This seller has no active shop."))
    return together(answer(shop) for shop in shops)


def _inventory(shop: Shop, found: ShopCover | None) -> Rendered:
    covers = found.covers if found else ()
    low = found.low if found else ()
    context = {
        "shop": shop,
        "as_of": found.as_of if found else None,
        "low": low[:MOST_COVERS],
        "left_out": len(low[MOST_COVERS:]),
        "total": len(covers),
        "out": sum(cover.is_out for cover in low),
        "unknown": len(found.unknown) if found else 0,
        "long": sum(cover.days is not None and cover.days > LONG_COVER_DAYS for cover in covers),
        "long_days": LONG_COVER_DAYS,
    }
    return from_template("inventory", context)
