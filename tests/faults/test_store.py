"""A worker that is killed while it writes the read store."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from apps.analytics import build, files, questions
from apps.analytics.models import StaleDay, StoreVersion
from apps.analytics.shapes import ALL_TYPES, Filters
from tests.analytics.made_shop import DAYS, MadeShop
from tests.cast import anna
from tests.faults.harness import Fleet, eventually

pytestmark = [pytest.mark.fault, pytest.mark.process]


@pytest.mark.parametrize(
    "moment",
    [
        "apps.analytics.files.publish",
        pytest.param("apps.analytics.build.add_cubes", marks=pytest.mark.slow),
        pytest.param("apps.analytics.manifest.forget", marks=pytest.mark.slow),
    ],
)
def test_a_kill_while_a_version_is_written_loses_nothing(
    fleet: Fleet, tmp_path: Path, settings: Settings, moment: str
) -> None:
    settings.STORE_FOLDER = tmp_path / "store"
    fleet.env["STORE_FOLDER"] = str(tmp_path / "store")
    made = MadeShop.of(anna().seller.shops.get(), seed=3)
    made.sell(40)
    build.rebuild(made.shop)
    asked = Filters((made.shop.pk,), DAYS, ALL_TYPES)
    before = questions.summary(asked)
    made.sell(10)
    dying = fleet.worker("analytics", CRASH_BEFORE=moment)
    fleet.send("store.refresh", made.shop.pk, queue="analytics")
    dying.wait_end()
    if moment != "apps.analytics.manifest.forget":  # by then the new version is committed
        assert questions.summary(asked) == before
        assert StaleDay.objects.exists()
    fleet.worker("analytics")
    fleet.send("store.refresh", made.shop.pk, queue="analytics")
    eventually(lambda: not StaleDay.objects.exists(), "the new version answers")
    eventually(lambda: questions.summary(asked).orders > before.orders, "its figures are shown")
    folder = files.folder_of(made.shop.pk)
    assert {path.name for path in folder.iterdir()} >= set(StoreVersion.objects.values_list("file", flat=True))
