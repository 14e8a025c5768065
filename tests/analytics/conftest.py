from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from apps.shops.models import Member
from tests.analytics.made_shop import MadeShop


@pytest.fixture(autouse=True)
def _store_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.STORE_FOLDER = tmp_path / "store"


@pytest.fixture
def made(owner: Member) -> MadeShop:
    """Anna's shop with 150 orders of all kinds."""
    made = MadeShop.of(owner.seller.shops.get(), seed=1)
    made.sell(150)
    return made
