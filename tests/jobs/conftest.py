from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from apps.shops.models import Shop
from tests.cast import anna


@pytest.fixture(autouse=True)
def _small_timetable(settings: Settings) -> None:
    settings.TIMETABLE = "tests.jobs.day"


@pytest.fixture
def shop(db: None) -> Shop:
    """Anna's shop in Moscow, there since the beginning of the year."""
    Shop.objects.filter(pk=(made := anna().seller.shops.get()).pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    made.refresh_from_db()
    return made
