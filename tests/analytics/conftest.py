from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from apps.analytics import manifest
from apps.shops.models import Member
from tests.analytics.made_shop import MadeShop
from tests.cast import anna


@pytest.fixture(autouse=True)
def _store_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.STORE_FOLDER = tmp_path / "store"


@pytest.fixture(scope="module")
def _anna(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Member, MadeShop]]:
    """Made once for all tests of a file; each test's own changes are rolled back around it."""
    with django_db_blocker.unblock(), transaction.atomic():
        owner = anna()
        made = MadeShop.of(owner.seller.shops.get(), seed=1)
        made.sell(150)
        yield owner, made
        transaction.set_rollback(True)


@pytest.fixture
def owner(_anna: tuple[Member, MadeShop], db: None) -> Member:
    owner, made = _anna
    manifest.forget(made.shop.pk)  # the version of the last test was rolled back
    return owner


@pytest.fixture
def made(_anna: tuple[Member, MadeShop], owner: Member) -> MadeShop:
    """Anna's shop with 150 orders of all kinds."""
    return deepcopy(_anna[1])
