"""The whole loop without a person: each stage with its figures, and every verdict beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings

from apps.analytics import comparison
from apps.backoffice.demo.checks import compare
from apps.backoffice.demo.crm_checks import compare_orders, night_before
from apps.backoffice.demo.days import DemoFailed, Shops, live_through, wait_for_figures, wait_for_silence, wait_until
from apps.backoffice.demo.figures import Api, counted, whole_history
from apps.backoffice.demo.people import OWNER_ID
from apps.backoffice.demo.progress import timed
from apps.backoffice.demo.world import Message, World
from apps.common import clock
from apps.common.periods import day_of
from apps.decisions.models import Command, Proposal
from apps.experiments.models import Experiment, Verdict
from apps.jobs.models import JobRun, SyncRun
from apps.notifications.models import OutboxMessage
from apps.sales.day_checks import REREAD_DAYS
from apps.sales.models import Order
from apps.shops.clients import keycrm
from apps.shops.models import Shop

DAYS = 8  # seven whole days after the day of the change, and the morning after them
PRESS_SECONDS = 30
CANCELLED_STATUS = 19

Say = Callable[[str], None]


def walk(world: World, shops: Shops, say: Say) -> None:
    """From the cards of the first morning to a rollback. Raises `DemoFailed` where a stage does not come true."""
    say(
        f"\nNow {DAYS} days without a person. Each morning: what was read, what was sold so far (and whether the\n"
        "marketplace knows the same, unit by unit), and what the analysis says of the prices. The cards of the first\n"
        "morning are approved, the others wait unanswered; a week later each change gets its verdict.\n"
        "The shop in KeyCRM is read and compared every day too; behind each line stands how long it took.\n\n"
    )
    say = timed(say)
    tell_day(world, shops, say)
    commands = approve_cards(world, shops.ozon, say)
    cancelled = cancel_in_the_crm(world, shops.crm)
    for _ in range(DAYS):
        live_through(world, shops, world.next_day())
        tell_day(world, shops, say)
    tell_cancelled(cancelled, say)
    experiments = tell_verdicts(world, commands, say)
    roll_one_back(world, experiments, say)
    tell_books(shops.crm, say)
    tell_figures(world, shops, say)


def tell_day(world: World, shops: Shops, say: Say) -> None:
    """The figures of a day, and whether they equal the world's ledger to the last unit."""
    day, shop = world.today(), shops.ozon
    comparison = compare(world, shop, day - timedelta(days=1))
    if comparison.wrong:
        raise DemoFailed("the facts differ from the world's ledger:\n" + "\n".join(comparison.wrong))
    rows = sum(SyncRun.objects.filter(shop=shop, job_run__slot=day.isoformat()).values_list("received", flat=True))
    cards = Proposal.objects.filter(shop=shop, state=Proposal.State.PENDING).count()
    analysis = JobRun.objects.get(job="price_analysis", shop=shop, slot=day.isoformat())
    say(
        f"DAY {day} rows={rows} units={comparison.units} revenue={comparison.revenue} {shop.currency} "
        f"ledger=equal ({comparison.cells} cells) cards={cards}\n"
        f"  prices: {_counts(analysis.result)}\n"
        f"  {_night(shops.crm, day)}"
    )


def approve_cards(world: World, shop: Shop, say: Say) -> list[Command]:
    """Press the first button of every card in the owner's chat, and wait until all changes are verified."""
    cards = _cards(world, "proposal_card")
    if not cards:
        raise DemoFailed("the first morning brought no price cards")
    for card in cards:
        world.press(OWNER_ID, card, card.buttons[0])
    pending = Proposal.objects.filter(shop=shop, state=Proposal.State.PENDING)
    wait_until(lambda: not pending.exists(), PRESS_SECONDS, "the presses")
    wait_for_silence()
    commands = list(Command.objects.filter(shop=shop).select_related("proposal").order_by("pk"))
    for command in commands:
        _check_price(world, command)
    say(f"APPROVED {len(cards)} cards: the marketplace shows all {len(commands)} new prices")
    return commands


def _check_price(world: World, command: Command) -> None:
    approved, shown = Decimal(command.payload["price"]), world.price_of(command.payload["external_id"])
    if command.state != Command.State.VERIFIED or shown != approved:
        raise DemoFailed(f"{command} is {command.state}; the marketplace shows {shown}, approved was {approved}")


def cancel_in_the_crm(world: World, shop: Shop) -> Order:
    """Cancel an order of two weeks ago behind the sync's back: no date of it moves, so that no filter finds it."""
    day = world.today() - timedelta(days=14)
    order = Order.objects.filter(shop=shop, placed_on__lte=day, status=Order.Status.DELIVERED).latest("placed_on", "pk")
    world.edit_crm_order(order.external_id, status_id=CANCELLED_STATUS, status_changed_at=clock.now().isoformat())
    return order


def tell_cancelled(order: Order, say: Say) -> None:
    order.refresh_from_db()
    if order.status != Order.Status.CANCELLED:
        raise DemoFailed(f"order {order} was cancelled in the CRM and is {order.status} here")
    say(f"KEYCRM order {order} was cancelled in the CRM without any date: the night has found it")


def tell_books(shop: Shop, say: Say) -> None:
    """Every order beside the CRM, and every cell of the read store beside PostgreSQL."""
    orders = compare_orders(keycrm(shop), shop)
    if orders.wrong:
        raise DemoFailed("the orders differ from the CRM's:\n" + "\n".join(orders.wrong))
    wait_for_figures()
    store = comparison.compare(shop, whole_history(shop, day_of(clock.now(), shop.timezone)))
    if store.differences:
        raise DemoFailed(f"the read store differs from PostgreSQL: {store.differences[:10]}")
    say(
        f"KEYCRM {orders.orders} orders of {orders.total} {shop.currency}: as in the CRM, so in PostgreSQL;\n"
        f"  in the read store as in PostgreSQL, {store.cells} cells"
    )


def tell_figures(world: World, shops: Shops, say: Say) -> None:
    """What the REST API answers about each shop, beside PostgreSQL, and that it adds up no two currencies."""
    api, last = Api(settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD), world.today() - timedelta(days=1)
    for shop in shops:
        period = whole_history(shop, last)
        told, expected = api.figures(shop, period), counted(shop, period)
        if told != expected:
            raise DemoFailed(f"the API says {told} of {shop}, PostgreSQL {expected}")
        say(
            f"API {shop} {period.first}..{period.last}: {told.orders} orders, {told.revenue} {shop.currency}, "
            f"{told.returns} lost; PostgreSQL counts the same"
        )
    say(f"API both shops: {api.refusal(shops, whole_history(shops.crm, last))}")


def tell_verdicts(world: World, commands: list[Command], say: Say) -> list[Experiment]:
    """One line for each experiment."""
    experiments = list(
        Experiment.objects.filter(command__in=commands).select_related("product", "command").order_by("pk")
    )
    if len(experiments) != len(commands):
        raise DemoFailed(f"{len(commands)} verified changes, but {len(experiments)} experiments")
    for experiment in experiments:
        verdict = Verdict.objects.filter(experiment=experiment).first()
        if verdict is None:
            raise DemoFailed(f"{experiment} has no verdict")
        say(
            f"VERDICT {verdict.result} {experiment.product.offer_id} {verdict.probability:.3f} "
            f"{verdict.effect_low:+.3f}..{verdict.effect_high:+.3f} of the {verdict.basis.lower()} before "
            f"({experiment.price_from} -> {experiment.price_to})"
        )
    return experiments


def roll_one_back(world: World, experiments: list[Experiment], say: Say) -> None:
    """Press "Roll back" on the verdict whose advice it is, or else on the weakest, and "Keep" on the others."""
    worst = min(experiments, key=lambda one: one.verdicts.first().probability)  # type: ignore[union-attr]
    cards = _cards(world, "verdict_card")
    for card in cards:
        button = card.buttons[1 if worst.product.offer_id in card.text else 0]
        world.press(OWNER_ID, card, button)
    wait_until(
        lambda: (
            not Experiment.objects.filter(pk__in=[one.pk for one in experiments], state__in=Experiment.LIVE).exists()
        ),
        PRESS_SECONDS,
        "the decisions on the verdicts",
    )
    wait_for_silence()
    worst.refresh_from_db()
    shown = world.price_of(worst.command.payload["external_id"])
    if worst.state != Experiment.State.ROLLED_BACK or shown != worst.price_from:
        raise DemoFailed(f"{worst} is {worst.state}; the marketplace shows {shown}")
    say(f"ROLLED BACK {worst.product.offer_id} {worst.price_to} -> {shown}; the other changes are kept")


def _cards(world: World, name: str) -> list[Message]:
    """The owner's messages of this name that still have buttons."""
    sent = OutboxMessage.objects.filter(name=name, person__telegram_id=OWNER_ID)
    shown = {message_id for message_ids in sent.values_list("message_ids", flat=True) for message_id in message_ids}
    return [message for message in world.messages(OWNER_ID) if message.id in shown and message.buttons]


def _night(shop: Shop, day: date) -> str:
    night = night_before(shop, day)
    if night.differing or night.days != REREAD_DAYS:
        raise DemoFailed(f"the comparison with the CRM: {night}")
    orders = Order.objects.filter(shop=shop).count()
    return f"keycrm: {orders} orders, {night.days} days compared, differences set right: {night.set_right}, left: 0"


def _counts(result: dict[str, int]) -> str:
    """What came out most often first: "264 not due, 8 proposed"."""
    counts = sorted(((count, code) for code, count in result.items()), reverse=True)
    return ", ".join(f"{count} {code.replace('_', ' ')}" for count, code in counts)
