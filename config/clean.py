"""`python -m config.clean` removes .vitrina/: the embedded servers with all their data, the demo, the tests' state."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from config.env import BASE_DIR
from config.services import Place, running


def clean(state: Path) -> None:
    """Raises RuntimeError, and removes nothing, while servers run there."""
    places = [Place(lock.parent) for lock in state.rglob("services.lock")]
    for place in places:
        if running(place):
            raise RuntimeError(f"The servers under {place.root} are running: stop them first, nothing was removed.")
    for place in places:
        shutil.rmtree(place.sockets, ignore_errors=True)  # there only after a crash, and then perhaps another user's
    if state.exists():
        shutil.rmtree(state)


if __name__ == "__main__":
    try:
        clean(BASE_DIR / ".vitrina")
    except RuntimeError as error:
        sys.exit(str(error))
