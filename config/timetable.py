"""The day of a shop, hour by hour in its own zone, and the clock's ticks. Named by `settings.TIMETABLE`.

The hours are where each shop's schedule starts; an admin may move them, and a moved hour stays moved.
"""

from __future__ import annotations

from datetime import time, timedelta

from django.utils.translation import gettext_lazy as _

from apps.jobs.timetable import Job, Policy, Queue, Tick

OZON = ("ozon",)
KEYCRM = ("keycrm",)
EVERY_KIND = (*OZON, *KEYCRM)

TIMETABLE: tuple[Job, ...] = (
    Job(
        name="keycrm_sync",
        title=_("KeyCRM sync"),
        at=time(0, 5),
        hourly=True,
        queue=Queue.SYNC,
        kinds=KEYCRM,
        policy=Policy.LATEST,
        calls_with="keycrm",
        why=_(
            "Every hour, for people look at today's sales all day. A sync reads from where the last complete one "
            "ended, so one late run makes up for every missed one; the day's first one reads the catalogue and the "
            "stock."
        ),
    ),
    Job(
        name="keycrm_night",
        title=_("KeyCRM comparison"),
        at=time(3, 20),
        queue=Queue.SYNC,
        kinds=KEYCRM,
        policy=Policy.LATEST,
        calls_with="keycrm",
        reach=365,
        why=_(
            "A status that changes alone moves no date in the CRM, so every night the last thirty days are read again "
            "and compared order by order. At night, for it takes many calls of the few that the key may make; one late "
            "run makes up for every missed one."
        ),
    ),
    Job(
        name="store_check",
        title=_("check of the figures"),
        at=time(4, 0),
        queue=Queue.ANALYTICS,
        kinds=EVERY_KIND,
        policy=Policy.SKIP,
        grace=timedelta(hours=12),
        why=_(
            "At night nobody asks for figures, and what is found is put right before the morning's sync. A skipped one "
            "costs nothing: every version is checked when it is written, and the next night looks at the same days."
        ),
    ),
    Job(
        name="ozon_sync",
        title=_("OZON sync"),
        at=time(6, 0),
        queue=Queue.SYNC,
        kinds=OZON,
        policy=Policy.LATEST,
        calls_with="ozon_seller",
        reach=180,  # days: what the first sync reads
        why=_(
            "Yesterday is over in every zone of the country and people are not at work yet. A sync reads from where "
            "the last complete one ended, so one late run makes up for every missed one."
        ),
    ),
    Job(
        name="ozon_background",
        title=_("OZON accruals and clusters"),
        at=time(7, 0),
        queue=Queue.SYNC,
        kinds=OZON,
        policy=Policy.LATEST,
        calls_with="ozon_seller",
        why=_(
            "After the sync, whose products it joins, and apart from it: no decision depends on it, so none waits when "
            "it cannot be read. One late run makes up for every missed one."
        ),
    ),
    Job(
        name="daily_report",
        title=_("daily report"),
        at=time(9, 0),
        queue=Queue.ANALYTICS,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=3),
        reach=31,
        why=_(
            "The first thing people read at work, three hours after the sync. After noon nobody waits for it: it can "
            "be asked for in the chat, and a report in the evening would look like the next one."
        ),
    ),
    Job(
        name="price_analysis",
        title=_("price analysis"),
        at=time(9, 30),
        queue=Queue.ANALYTICS,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=8),
        needs="ozon_sync",
        why=_(
            "After the report, so that the cards are read with the figures at hand, and only on data of the same "
            "morning. Until the end of the working day it may be late; cards of the night would be decided on by "
            "nobody before the next analysis replaces them."
        ),
    ),
    Job(
        name="review_price_experiments",
        title=_("review of price experiments"),
        at=time(10, 0),
        queue=Queue.ANALYTICS,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=8),
        needs="ozon_sync",
        why=_(
            "After the new cards, so that new decisions come before verdicts on old ones. A verdict needs the last "
            "day of its window complete; the next morning's review judges what a skipped one left."
        ),
    ),
    Job(
        name="key_check",
        title=_("check of the keys"),
        at=time(12, 0),
        queue=Queue.SYNC,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=6),
        why=_(
            "Half a day from the sync, which asks too, so that nobody learns at night of a key that was taken away in "
            "the morning; and at noon somebody is there to make a new one."
        ),
    ),
    Job(
        name="price_check",
        title=_("check of prices"),
        at=time(14, 0),
        queue=Queue.SYNC,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=6),
        calls_with="ozon_seller",
        why=_(
            "Half a day after the sync, so that a price which somebody changed is known within half a day, and while "
            "people are at work. It reads the marketplace itself, so it needs no sync; the next day's looks again."
        ),
    ),
    Job(
        name="stock_alerts",
        title=_("stock alerts"),
        at=time(18, 0),
        queue=Queue.ANALYTICS,
        kinds=OZON,
        policy=Policy.SKIP,
        grace=timedelta(hours=3),
        needs="ozon_sync",
        why=_(
            "Before people go home, with time left to order. At night an alert only wakes somebody who cannot order."
        ),
    ),
)

MINUTE = timedelta(minutes=1)

TICKS: tuple[Tick, ...] = (
    Tick(
        "commands.sweep",
        _("commands that wait"),
        timedelta(seconds=15),
        _("A person who has pressed Apply is waiting for the answer."),
    ),
    Tick(
        "keys.sweep",
        _("keys that were refused"),
        MINUTE,
        _("A key is asked about every few minutes while it is refused, and soon when it is new."),
    ),
    Tick(
        "store.sweep",
        _("refresh of the figures"),
        timedelta(seconds=5),
        _("Figures follow a change within seconds of the last write."),
    ),
    Tick(
        "hints.sweep",
        _("pushes of the marketplaces"),
        MINUTE,
        _("What a marketplace has pushed is read at once; this finds what a lost wake left."),
    ),
    Tick(
        "jobs.catch_up",
        _("jobs whose time has come"),
        MINUTE,
        _("A day's slot is an hour's matter; a minute late is on time."),
    ),
    Tick(
        "jobs.watchdog",
        _("watch over the clock"),
        MINUTE,
        _("It must notice within three minutes that the clock stands."),
    ),
    Tick(
        "proposals.expire",
        _("expiry of the cards"),
        MINUTE,
        _("Cards name to the minute when they expire and until when they can be undone."),
    ),
    Tick(
        "drift.sweep",
        _("second look at changed prices"),
        MINUTE,
        _("What was verified is looked at again after minutes; one more is no matter."),
    ),
    Tick(
        "experiments.sweep",
        _("experiments to start"),
        MINUTE,
        _("What a crash left out after a change must start on the same day."),
    ),
)
