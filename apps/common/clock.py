"""The only clock.

`now()` is business time: the system's, or, in a demo, what the world at `WORLD_URL` says. Leases, time-outs, rate
limits, token ages and the audit trail use `real_now()`. Only doors (tasks, commands, bots, admin) call `now()`;
everything below receives `now`, `today` or `as_of` as an argument. What was stamped in real time is shown to people
in `business_time`: beside a demo's dates the day of the machine would say nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import requests
from django.conf import settings

from apps.common.periods import day_of

_session = requests.Session()


def real_now() -> datetime:
    return datetime.now(UTC)


def now() -> datetime:
    """Business time, aware, UTC."""
    if settings.WORLD_URL:
        return _world_time()
    return real_now()


def business_time(real: datetime) -> datetime:
    """When it was in business time at that moment of real time; the same moment outside a demo."""
    return _world_time(at=real.isoformat()) if settings.WORLD_URL else real


def today(zone: str) -> date:
    """The business day in `zone`."""
    return day_of(now(), zone)


def _world_time(**query: str) -> datetime:
    answer = _session.get(f"{settings.WORLD_URL.rstrip('/')}/world/clock", params=query, timeout=5)
    answer.raise_for_status()
    return datetime.fromisoformat(answer.json()["moment"]).astimezone(UTC)
