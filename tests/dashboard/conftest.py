from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from apps.analytics.build import rebuild
from tests.backoffice.conftest import _quiet, _sellers, anna, boris
from tests.backoffice.fill import Filled
from tests.dashboard.sold import Cosmetics, open_cosmetics

__all__ = ["_quiet", "_sellers", "anna", "boris"]


@pytest.fixture(scope="module")
def _stores(
    _sellers: tuple[Filled, Filled], tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Cosmetics]:
    """The stores of Anna's two shops and of Boris's one, built of what is in PostgreSQL."""
    anna, boris = _sellers
    folder: Path = tmp_path_factory.mktemp("store")
    with django_db_blocker.unblock(), override_settings(STORE_FOLDER=folder):
        cosmetics = open_cosmetics(anna.seller)
        for shop in (anna.shop, cosmetics.shop, boris.shop):
            rebuild(shop)
        yield cosmetics


@pytest.fixture
def cosmetics(_stores: Cosmetics, anna: Filled) -> Cosmetics:
    return _stores


@pytest.fixture
def _generous(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "API_CALLS_PER_MINUTE", 10**9)
