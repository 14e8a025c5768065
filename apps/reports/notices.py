"""Short messages: a change that did not come about or did not last, products to order, keys, and what is wrong."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from apps.decisions.models import Command
from apps.experiments.models import Experiment
from apps.inventory.cover import Cover, load_cover
from apps.inventory.models import LowStock
from apps.jobs.models import JobRun
from apps.jobs.timetable import find_job
from apps.notifications.models import OutboxMessage
from apps.reports.links import decision_link
from apps.reports.proposal_card import command_story, price_change
from apps.reports.rendering import Rendered, from_template
from apps.shops.models import Credential, Shop

MOST_COVERS = 15


def command_ended(message: OutboxMessage, now: datetime) -> Rendered:
    commands = Command.objects.of(message.seller).select_related("shop", "proposal")
    command = commands.get(pk=message.params["command"])
    context = {
        "shop": command.shop,
        "decision_link": decision_link(command.proposal_id),
        **command_story(command),
        **price_change(command, command.shop_id),
    }
    return from_template("command_ended", context)


def price_drift(message: OutboxMessage, now: datetime) -> Rendered:
    """A price of ours that somebody else has changed: what we set, and what was found."""
    commands = Command.objects.of(message.seller).select_related("shop")
    command = commands.get(pk=message.params["command"])
    context = {
        "shop": command.shop,
        "command": command,
        "found": Decimal(command.drift["price"]),
        "is_void": Experiment.objects.filter(command=command, state=Experiment.State.VOID).exists(),
        **price_change(command, command.shop_id),
    }
    return from_template("price_drift", context)


def too_few_people(message: OutboxMessage, now: datetime) -> Rendered:
    """Changes that need more people than the team has now."""
    shop = Shop.objects.of(message.seller).get(pk=message.params["shop"])
    return from_template("too_few_people", {"shop": shop, "count": message.params["count"]})


def stock_alert(message: OutboxMessage, now: datetime) -> Rendered:
    """What is low in a shop: first what is new on the day of the alert, then what was told before."""
    shop = Shop.objects.of(message.seller).get(pk=message.params["shop"])
    day = date.fromisoformat(message.params["day"])
    found = load_cover(shop)
    low = found.low if found else ()
    new_ids = set(LowStock.objects.filter(product__shop=shop, since_on=day).values_list("product_id", flat=True))
    news = [cover for cover in low if cover.product.pk in new_ids]
    rest = [cover for cover in low if cover.product.pk not in new_ids]
    context = {
        "shop": shop,
        "as_of": found.as_of if found else None,
        **_cut("news", news, MOST_COVERS),
        **_cut("rest", rest, max(MOST_COVERS - len(news), 0)),
    }
    return from_template("stock_alert", context)


def job_failed(message: OutboxMessage, now: datetime) -> Rendered:
    runs = JobRun.objects.filter(Q(shop__seller=message.seller) | Q(shop=None)).select_related("shop")
    run = runs.get(pk=message.params["run"])
    job = find_job(run.job)
    zone = run.shop.timezone if run.shop else settings.TIME_ZONE
    return from_template("job_failed", {"run": run, "title": job.title if job else run.job, "zone": zone})


def job_late(message: OutboxMessage, now: datetime) -> Rendered:
    """A slot that nobody began in time. What it waits for, when it waits for something, is on its run."""
    return from_template("job_late", _slot(message))


def job_skipped(message: OutboxMessage, now: datetime) -> Rendered:
    return from_template("job_skipped", _slot(message))


def queue_silent(message: OutboxMessage, now: datetime) -> Rendered:
    return from_template("queue_silent", {**_since(message), "queue": message.params["queue"]})


def clock_stopped(message: OutboxMessage, now: datetime) -> Rendered:
    return from_template("clock_stopped", _since(message))


def key_problem(message: OutboxMessage, now: datetime) -> Rendered:
    """As things stand now: a key that is taken again says so."""
    key = _key(message)
    waiting = Command.objects.filter(shop=key.shop, account=key.client_id, state__in=Command.LIVE).count()
    return from_template("key_problem", {"key": key, "shop": key.shop, "waiting": waiting if key.is_refused else 0})


def key_expires(message: OutboxMessage, now: datetime) -> Rendered:
    key = _key(message)
    is_over = key.expires_at is not None and key.expires_at <= now
    return from_template("key_expires", {"key": key, "shop": key.shop, "is_over": is_over})


def _key(message: OutboxMessage) -> Credential:
    keys = Credential.objects.of(message.seller).select_related("shop")
    found: Credential = keys.get(pk=message.params["credential"])
    return found


def _slot(message: OutboxMessage) -> dict[str, object]:
    """A due moment of a job, of a shop or of the installation, and its run as it stands."""
    shop_id, due = message.params["shop"], datetime.fromisoformat(message.params["due"])
    shop = Shop.objects.of(message.seller).get(pk=shop_id) if shop_id else None
    job = find_job(message.params["job"])
    return {
        "shop": shop,
        "title": job.title if job else message.params["job"],
        "due": due,
        "zone": shop.timezone if shop else settings.TIME_ZONE,
        "run": JobRun.objects.filter(job=message.params["job"], shop=shop, as_of=due).first(),
    }


def _since(message: OutboxMessage) -> dict[str, object]:
    """The watchdog's moments are real time and concern the installation, whose zone is that of the settings."""
    return {"since": datetime.fromisoformat(message.params["since"]), "zone": settings.TIME_ZONE}


def _cut(name: str, covers: list[Cover], most: int) -> dict[str, object]:
    return {name: covers[:most], f"{name}_left_out": len(covers[most:])}
