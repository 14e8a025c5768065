"""Finding commands that nobody is moving: their wake was lost, their worker died, or their time has come."""

from __future__ import annotations

from django.db.models import Q

from apps.common.clock import real_now
from apps.decisions.models import Command
from apps.jobs.wake import wake


def sweep() -> int:
    """Wake every live command that is due and not in a worker's hands. Returns how many."""
    now = real_now()
    due = (
        Command.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), state__in=Command.LIVE, due_at__lte=now)
        .order_by("due_at")
        .values_list("pk", flat=True)
    )
    for command_id in due:
        wake("commands.run", command_id)
    return len(due)
