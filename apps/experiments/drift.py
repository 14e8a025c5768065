"""Looking whether what we set still stands: some minutes after it was verified, and then once a day.

What somebody else has changed is told once, and ends the measurement; nothing is ever set back by itself.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.common.db import take_lock
from apps.decisions.kinds import Match, Reading, kind_of, payload_of
from apps.decisions.models import Command
from apps.experiments.lifecycle import void
from apps.experiments.models import Experiment
from apps.jobs.timetable import Queue
from apps.jobs.wake import wake
from apps.marketplaces.errors import ApiError
from apps.notifications.outbox import people_who_may, tell
from apps.shops.audit import record
from apps.shops.clients import MissingKey
from apps.shops.models import Shop
from apps.shops.roles import Action

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)
LONGEST_TRY = timedelta(hours=2)
"""What could not be looked at for so long is left to the daily look."""


def wake_due(*, now: datetime) -> int:
    """Have the shops looked at where something is due. Returns how many."""
    shop_ids = Command.objects.filter(look_at__lte=now).order_by("shop").values_list("shop", flat=True).distinct()
    for shop_id in shop_ids:
        wake("drift.look", shop_id, queue=Queue.SYNC)
    return len(shop_ids)


def look_due(*, shop: Shop, now: datetime) -> int:
    """Look at what is due. Returns how many values were changed by somebody else."""
    due = Command.objects.filter(shop=shop, look_at__lte=now)
    ids = list(due.values_list("pk", flat=True))
    try:
        found = _look(in_force(shop).filter(pk__in=ids), shop, now)
    except (ApiError, MissingKey) as error:
        log.warning("%s cannot be looked at: %s", shop, error)
        due.filter(pk__in=ids, verified_at__gt=now - LONGEST_TRY).update(look_at=now + REST)
        found = 0
    due.filter(pk__in=ids).update(look_at=None)
    return found


def look_at_all(*, shop: Shop, now: datetime) -> dict[str, int]:
    """Look at everything of ours that is in force. Returns how many there were, and how many had been changed.

    Raises `ApiError` or `MissingKey` when the marketplace does not answer.
    """
    commands = in_force(shop)
    return {"in_force": commands.count(), "changed": _look(commands, shop, now)}


def in_force(shop: Shop) -> QuerySet[Command]:
    """Verified changes that stood until the last look, and after which we sent nothing else to the same target."""
    later = Command.objects.filter(shop=OuterRef("shop"), target=OuterRef("target"), pk__gt=OuterRef("pk"))
    sent = later.filter(Q(state__in=[*Command.LIVE, Command.State.VERIFIED]) | Q(writes__gt=0))
    return Command.objects.filter(~Exists(sent), shop=shop, state=Command.State.VERIFIED, drifted_at=None)


def _look(commands: QuerySet[Command], shop: Shop, now: datetime) -> int:
    by_kind: dict[str, list[Command]] = defaultdict(list)
    for command in commands.order_by("pk"):
        by_kind[command.kind].append(command)
    found = 0
    for ours in by_kind.values():
        readings = kind_of(ours[0]).read_many(shop, [payload_of(command) for command in ours])
        for command, reading in zip(ours, readings, strict=True):
            if reading and reading.match is not Match.TARGET:
                found += _drifted(command, reading, now)
    return found


@transaction.atomic
def _drifted(command: Command, reading: Reading, now: datetime) -> bool:
    """Note it and tell it, once; False when a change of our own that began meanwhile explains it."""
    experiment = Experiment.objects.select_for_update().filter(command=command.pk).first()
    take_lock("decisions", command.shop_id)  # an experiment is locked before its shop, as in `lifecycle.py`
    still_ours = in_force(command.shop).filter(pk=command.pk)
    if not still_ours.update(drifted_at=now, drift=dict(reading.value), look_at=None):
        return False
    record("command.drifted", shop=command.shop, subject=command, **reading.value)
    if experiment and experiment.state == Experiment.State.RUNNING:
        void(experiment=experiment, reason="price_changed")
    tell(
        name="price_drift",
        key=f"price_drift:{command.pk}",
        seller=command.shop.seller,
        people=people_who_may(command.shop.seller, Action.APPROVE),
        params={"command": command.pk},
    )
    return True
