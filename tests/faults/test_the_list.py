"""The list of faults in README.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from config.env import BASE_DIR

TESTS = BASE_DIR / "tests"
LINES = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", (Path(__file__).parent / "README.md").read_text(), re.MULTILINE)


def test_every_fault_has_a_test_and_every_test_is_there() -> None:
    assert [int(number) for number, _ in LINES] == [*range(1, 25), *range(27, 58)]
    for number, named in LINES:
        tests = re.findall(r"`([\w/.]+)::(\w+)`", named)
        assert tests, number
        for path, name in tests:
            assert re.search(rf"^ *(async )?def {name}\(", (TESTS / path).read_text(), re.MULTILINE), (number, name)
