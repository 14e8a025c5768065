"""What a store lives through: changes, damage, a full disk."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.analytics import build, files, freshness, manifest, questions, reader
from apps.analytics.blocks import number
from apps.analytics.check import check_store
from apps.analytics.comparison import compare
from apps.analytics.errors import NotBuilt
from apps.analytics.models import StaleDay, StoreVersion
from apps.analytics.shapes import ALL_TYPES, Filters, Summary
from apps.common.clock import real_now
from apps.sales.models import Order, Source
from tests.analytics.made_shop import DAYS, MadeShop

pytestmark = [pytest.mark.django_db, pytest.mark.store]


def everything(made: MadeShop) -> Summary:
    return questions.summary(Filters((made.shop.pk,), DAYS, ALL_TYPES))


def file_of(version: StoreVersion) -> Path:
    return files.path_of(version.shop_id, version.file)


def version_of(made: MadeShop) -> StoreVersion:
    return StoreVersion.objects.filter(shop=made.shop).latest("number")


def files_of(made: MadeShop) -> list[str]:
    return sorted(path.name for path in files.folder_of(made.shop.pk).iterdir())


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """As on a full disk, every write beyond so many bytes fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_change_is_marked_with_its_old_day_and_its_new_one(made: MadeShop) -> None:
    build.rebuild(made.shop)
    assert not StaleDay.objects.exists()
    order = Order.objects.filter(shop=made.shop).earliest("pk")
    old, new = order.placed_on, DAYS.last + timedelta(days=5)
    Order.objects.filter(pk=order.pk).update(raw_status="nothing that counts")
    assert not StaleDay.objects.exists()
    Order.objects.filter(pk=order.pk).update(placed_on=new)
    assert set(StaleDay.objects.values_list("day", flat=True)) == {old, new}
    build.refresh(made.shop)
    assert not StaleDay.objects.exists()


def test_it_says_since_when_it_lacks_something(made: MadeShop) -> None:
    build.rebuild(made.shop)
    (version,) = questions.version((made.shop.pk,))
    assert (version.number, version.behind_since) == (1, None)
    made.sell(1)
    (version,) = questions.version((made.shop.pk,))
    assert version.behind_since is not None


def test_nothing_new_makes_no_new_version(made: MadeShop) -> None:
    version = build.rebuild(made.shop)
    assert build.refresh(made.shop) == version
    assert files_of(made) == [version.file]


def test_a_source_that_becomes_history_leaves_the_sales(made: MadeShop) -> None:
    build.rebuild(made.shop)
    before = everything(made)
    Source.objects.filter(shop=made.shop, external_id=1).update(role=Source.Role.HISTORY)
    assert build.refresh(made.shop).is_whole
    assert everything(made).orders < before.orders
    assert not compare(made.shop, DAYS).differences


def test_orders_of_one_number_stay_one_when_the_first_of_them_goes(made: MadeShop) -> None:
    parcels = list(Order.objects.filter(shop=made.shop).order_by("pk")[:3])
    for days, order in enumerate(parcels):
        order.order_number, order.source, order.status = "one", made.sources[0], "open"
        order.placed_on = DAYS.first + timedelta(days=days)
        order.save()
    build.rebuild(made.shop)
    parcels[0].delete()
    build.refresh(made.shop)
    Order.objects.filter(pk=parcels[1].pk).update(total=7)  # the third lies on a day that nothing has changed
    assert not build.refresh(made.shop).is_whole
    refreshed = everything(made)
    build.rebuild(made.shop)
    assert everything(made) == refreshed


def test_a_file_of_another_layout_is_built_anew_and_answers_nothing_until_then(
    made: MadeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.rebuild(made.shop)
    before = everything(made)
    monkeypatch.setattr(manifest, "LAYOUT", manifest.LAYOUT + 1)
    monkeypatch.setattr(freshness, "LAYOUT", manifest.LAYOUT)
    manifest.forget(made.shop.pk)
    with pytest.raises(NotBuilt):
        everything(made)
    woken: list[int] = []
    monkeypatch.setattr(freshness, "wake", lambda _name, shop_id: woken.append(shop_id))
    freshness.wake_due(now=real_now())
    assert woken == [made.shop.pk]
    assert build.refresh(made.shop).is_whole
    assert everything(made) == before
    assert files_of(made) == ["2.duckdb"]


def test_two_versions_are_kept_and_the_third_last_is_removed(made: MadeShop) -> None:
    for _ in range(4):
        build.rebuild(made.shop)
    assert files_of(made) == ["3.duckdb", "4.duckdb"]
    assert set(StoreVersion.objects.values_list("number", flat=True)) == {3, 4}


def test_the_file_of_a_version_that_was_replaced_is_let_go(made: MadeShop) -> None:
    for _ in range(4):
        build.rebuild(made.shop)
        everything(made)
    held = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert [path for path in held if str(files.folder_of(made.shop.pk)) in path] == [str(file_of(version_of(made)))]


def test_the_comparison_is_clean_and_finds_one_wrong_cell(made: MadeShop) -> None:
    version = build.rebuild(made.shop)
    clean = compare(made.shop, DAYS)
    assert clean.cells > 1000
    assert not clean.differences
    reader.close_all()
    with duckdb.connect(str(file_of(version))) as db:
        first = "select min(rowid) from sales where category = 0 and brand = 0 and block between 20260101 and 20260131"
        db.execute(f"update sales set orders = orders + 1 where rowid = ({first})")
    StoreVersion.objects.update(size=file_of(version).stat().st_size)
    manifest.forget(made.shop.pk)
    differences = compare(made.shop, DAYS).differences
    assert {difference.cell[:2] for difference in differences} == {(0, 0)}
    found = check_store(made.shop, today=DAYS.last)
    assert found["different"] == len(differences) > 0
    assert not compare(made.shop, DAYS).differences


def test_a_refresh_whose_cubes_differ_from_the_facts_is_built_from_everything(made: MadeShop) -> None:
    version = build.rebuild(made.shop)
    order = Order.objects.filter(shop=made.shop, source__role="sales", status="open").earliest("pk")
    reader.close_all()
    with duckdb.connect(str(file_of(version))) as db:
        db.execute(
            "update sales set revenue = revenue + 1 where rowid ="
            " (select min(rowid) from sales where category = 0 and brand = 0 and block = $block)",
            {"block": number(order.placed_on)},
        )
    StoreVersion.objects.update(size=file_of(version).stat().st_size)
    Order.objects.filter(pk=order.pk).update(total=order.total + 1)
    assert build.refresh(made.shop).is_whole
    assert not compare(made.shop, DAYS).differences


def test_a_night_makes_a_grown_file_whole_again(made: MadeShop) -> None:
    build.rebuild(made.shop)
    made.change(5)
    assert not build.refresh(made.shop).is_whole
    assert check_store(made.shop, today=DAYS.last)["different"] == 0
    assert StoreVersion.objects.latest("number").is_whole


def test_a_night_waits_for_a_version_that_is_being_built(made: MadeShop) -> None:
    """As after a sync, whose changes a refresh takes in at the same time."""
    build.rebuild(made.shop)
    is_building, may_end = threading.Event(), threading.Event()

    def build_slowly() -> None:
        with build.alone(made.shop):
            is_building.set()
            may_end.wait(10)
        connection.close()

    with ThreadPoolExecutor() as others:
        other = others.submit(build_slowly)
        assert is_building.wait(10)
        threading.Timer(0.3, may_end.set).start()
        assert check_store(made.shop, today=DAYS.last)["different"] == 0
        other.result(10)


@pytest.mark.parametrize("damage", ["truncated", "removed", "overwritten"])
def test_the_version_before_answers_when_a_file_is_damaged(made: MadeShop, damage: str) -> None:
    build.rebuild(made.shop)
    before = everything(made)
    made.sell(10)
    last = build.refresh(made.shop)
    path = file_of(last)
    if damage == "removed":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[: last.size // 2])
    else:
        path.write_bytes(b"\xff" * last.size)
    assert everything(made) == before
    (version,) = questions.version((made.shop.pk,))
    assert version.number == 1
    assert version.behind_since == last.as_of
    assert build.refresh(made.shop).number == 3
    assert everything(made).orders > before.orders


def test_without_the_folder_the_same_figures_are_built_again(made: MadeShop) -> None:
    version = build.rebuild(made.shop)
    before = everything(made)
    file_of(version).unlink()
    files.folder_of(made.shop.pk).rmdir()
    reader.close_all()  # as in a process that has not opened it
    with pytest.raises(NotBuilt):
        everything(made)
    build.refresh(made.shop)
    assert everything(made) == before


def test_a_folder_that_cannot_be_written_keeps_the_version_there_is(made: MadeShop, settings: Settings) -> None:
    version = build.rebuild(made.shop)
    before = everything(made)
    made.sell(3)
    (files.folder_of(made.shop.pk) / f"2.duckdb{files.UNFINISHED}").touch()  # a file where a folder must be
    with pytest.raises(OSError, match=files.UNFINISHED):
        build.refresh(made.shop)
    assert everything(made) == before
    assert StoreVersion.objects.get() == version
    assert StaleDay.objects.exists()


def test_a_full_disk_keeps_the_version_there_is(made: MadeShop) -> None:
    version = build.rebuild(made.shop)
    before = everything(made)
    made.sell(3)
    with no_file_above(100_000), pytest.raises((OSError, duckdb.Error)):
        build.refresh(made.shop)
    assert everything(made) == before
    assert files_of(made) == [version.file]
    build.refresh(made.shop)
    assert everything(made) != before


def test_what_a_killed_build_has_left_is_swept(made: MadeShop) -> None:
    left = files.folder_of(made.shop.pk) / f"1.duckdb{files.UNFINISHED}"
    left.mkdir(parents=True)
    (left / "1.duckdb").write_bytes(b"half")
    (files.folder_of(made.shop.pk) / "7.duckdb").write_bytes(b"published, and unknown to the manifest")
    version = build.rebuild(made.shop)
    assert files_of(made) == [version.file]


def test_it_is_refreshed_when_nobody_writes_any_more(
    made: MadeShop, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    now = StaleDay.objects.latest("changed_at").changed_at
    for age, woken in ((timedelta(seconds=1), 0), (timedelta(seconds=6), 1)):
        with django_capture_on_commit_callbacks() as wakes:
            freshness.wake_due(now=now + age)
        assert len(wakes) == woken


def test_the_facts_are_exported_as_parquet(made: MadeShop, tmp_path: Path, capsys: Any) -> None:
    build.rebuild(made.shop)
    call_command("export_parquet", shop=made.shop.pk, to=tmp_path / "out")
    ((revenue,),) = duckdb.execute(
        f"select sum(total) from '{tmp_path}/out/sale/**/*.parquet' where counts and not returned"
        f" and day between '{DAYS.first}' and '{DAYS.last}'"
    ).fetchall()
    assert revenue == everything(made).revenue
    assert "line:" in capsys.readouterr().out


def test_a_full_build_is_a_command_that_shows_how_far_it_is(made: MadeShop, capsys: Any) -> None:
    call_command("rebuild_store", shop=made.shop.pk)
    shown = capsys.readouterr().out
    assert "read from the database" in shown
    assert "version 1" in shown
    assert everything(made).orders > 0
