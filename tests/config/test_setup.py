"""`make setup` on machines where something is missing: it says what, and how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import BASE_DIR

pytestmark = pytest.mark.process

TOOLS = ("sh", "dirname", "cat", "cksum", "find")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with a space, without a virtual environment."""
    folder = tmp_path / "a new checkout"
    (folder / ".ci").mkdir(parents=True)
    (folder / "locale").mkdir()
    shutil.copy(BASE_DIR / ".ci" / "setup", folder / ".ci" / "setup")
    (folder / "requirements-dev.txt").write_text("vitrina-no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A path with the few programs that every machine has, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return folder


def set_up(checkout: Path, tools: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(checkout / ".ci" / "setup")],
        env={"PATH": str(tools), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def python_that(tools: Path, name: str, words: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{words}\n")
    (tools / name).chmod(0o755)


def test_no_python_is_said_with_the_way_to_get_one(checkout: Path, tools: Path) -> None:
    done = set_up(checkout, tools)
    assert done.returncode == 1
    assert "Vitrina needs Python 3.11 or 3.12, and there is none here" in done.stderr
    assert "apt install python3.12 python3.12-venv" in done.stderr


def test_an_old_python_is_named(checkout: Path, tools: Path) -> None:
    python_that(tools, "python3", 'if [ "$1" = -V ]; then echo Python 3.9.2; else exit 1; fi')
    done = set_up(checkout, tools)
    assert done.returncode == 1
    assert "there is none here (python3 is Python 3.9.2)" in done.stderr


def test_a_python_without_venv_is_told_which_package_to_install(checkout: Path, tools: Path) -> None:
    python_that(tools, "python3.11", f'case "$*" in *ensurepip*) exit 1;; *) exec "{sys.executable}" "$@";; esac')
    done = set_up(checkout, tools)
    assert done.returncode == 1
    assert "python3.11 cannot create virtual environments" in done.stderr
    assert "apt install python3-venv" in done.stderr


@pytest.mark.slow
def test_a_failed_installation_names_the_network_and_is_tried_again(checkout: Path, tools: Path) -> None:
    offline = {"PYTHON": sys.executable, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    first = set_up(checkout, tools, **offline)
    assert first.returncode == 1
    assert "The first installation needs the network" in first.stderr
    assert (checkout / ".venv" / "bin" / "python").exists()
    (checkout / "requirements-dev.txt").write_text("")
    second = set_up(checkout, tools, **offline)
    assert second.returncode == 0, second.stderr
    assert "Installing" in second.stdout
    third = set_up(checkout, tools, **offline)
    assert (third.returncode, third.stdout) == (0, "")
