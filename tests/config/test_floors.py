"""The contracts of import-linter name the parts that there are."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from config.env import BASE_DIR


def contract(start: str) -> dict[str, Any]:
    contracts = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [each for each in contracts if each["name"].startswith(start)]
    return dict(found)


def packages(folder: str) -> set[str]:
    return {f"{folder.replace('/', '.')}.{path.parent.name}" for path in (BASE_DIR / folder).glob("*/__init__.py")}


def floors() -> tuple[set[str], set[str]]:
    """The parts that are built, and those in parentheses."""
    names = [name.strip() for layer in contract("An import goes down")["layers"] for name in layer.split("|")]
    planned = {name.strip("()") for name in names if name.startswith("(")}
    return set(names) - {f"({name})" for name in planned}, planned


def test_every_app_has_its_floor_and_every_floor_its_app() -> None:
    built, planned = floors()
    assert packages("apps") == {name for name in built if name.startswith("apps.")}
    assert not packages("apps") & planned


def test_the_floors_are_those_of_the_architecture() -> None:
    """ARCHITECTURE.md draws them and names what is planned; the contract has the same, no more and no less."""
    drawing = (BASE_DIR / "ARCHITECTURE.md").read_text().split("## Floors")[1].split("\n\n")[0]
    built, planned = floors()
    drawn = set(re.findall(r"\bapps\.[a-z]+", drawing))
    assert drawn == {name for name in built | planned if name.startswith("apps.")}


def test_everything_but_the_back_office_is_kept_from_the_stand_ins() -> None:
    doors = {"apps.backoffice", "apps.marketplaces"}
    own = {f"apps.marketplaces.{path.stem}" for path in (BASE_DIR / "apps/marketplaces").glob("[a-z]*.py")}
    clients = packages("apps/marketplaces") - {"apps.marketplaces.standins"}
    everything = {"bots", "tasks", "config"} | packages("apps") - doors | own | clients
    assert set(contract("Only tests, benches")["source_modules"]) == everything


def test_everything_but_the_back_office_reads_settings_through_django() -> None:
    everything = {"bots", "tasks"} | packages("apps") - {"apps.backoffice"}
    assert set(contract("Only the back office")["source_modules"]) == everything
