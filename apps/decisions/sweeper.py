"""Finding commands that nobody is moving: their wake was lost, their worker died, or their time has come."""

from __future__ import annotations

from apps.decisions.workable import workable
from apps.jobs.wake import wake


def sweep() -> int:
    """Wake every live command that is due and not in a worker's hands. Returns how many."""
    due = workable().order_by("due_at").values_list("pk", flat=True)
    for command_id in due:
        wake("commands.run", command_id)
    return len(due)
