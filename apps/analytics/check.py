"""The nightly look at a shop's store."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

from apps.analytics import build, manifest
from apps.analytics.comparison import compare
from apps.common.periods import Period
from apps.shops.models import Shop

log = logging.getLogger(__name__)

DAYS = 60
MOST_EXAMPLES = 20


def check_store(shop: Shop, *, today: date) -> dict[str, Any]:
    """Compare the last days with PostgreSQL, and build the store anew, whole, where it differs or has grown by
    refreshes. Returns what was found, for the ledger."""
    with build.in_turn(shop):
        build.refresh(shop)
        found = compare(shop, Period.ending(today, days=DAYS))
        if found.differences:
            log.error("the store of shop %s differs from PostgreSQL in %s cells", shop.pk, len(found.differences))
        version = manifest.latest(shop.pk)
        if found.differences or version is None or not version.is_whole:
            build.rebuild(shop)
    return {
        "compared": found.cells,
        "different": len(found.differences),
        "examples": [str(difference) for difference in found.differences[:MOST_EXAMPLES]],
    }
