from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from apps.common import clock
from apps.marketplaces.standins.registry import running_standins


def test_business_time_is_real_time_in_a_real_shop(settings: Any) -> None:
    settings.WORLD_URL = ""
    moment = clock.real_now() - timedelta(days=3)
    assert clock.business_time(moment) == moment


@pytest.mark.flow
def test_in_a_demo_a_real_moment_is_told_by_the_worlds_clock(settings: Any) -> None:
    with running_standins(skus=5, bot_token="100000001:test-token-of-the-stand-in") as standins:
        settings.WORLD_URL = standins.url
        first = clock.real_now()
        requests.post(f"{standins.url}/world/next-day", timeout=60).raise_for_status()
        second = clock.real_now()
        told = [clock.business_time(moment).date().isoformat() for moment in (first, second)]
        assert told == ["2026-03-02", "2026-03-03"]
        assert abs(clock.business_time(second) - clock.now()) < timedelta(seconds=10)
        refused = requests.get(f"{standins.url}/world/clock", params={"at": "yesterday"}, timeout=60)
        assert (refused.status_code, refused.json()["error"][:3]) == (400, "at:")
