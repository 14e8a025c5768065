"""What tasks have in common beyond the queue's own settings (config/celery.py)."""

from __future__ import annotations

from typing import Any

# A tick is not worth a second delivery: the next one comes by itself, and one that kills its worker must not come back.
TICK: dict[str, Any] = {"acks_late": False, "reject_on_worker_lost": False, "soft_time_limit": 50, "time_limit": 60}
