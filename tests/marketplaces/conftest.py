"""What the tests of the clients share: no waiting, a limiter without limits, and the folder of samples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import responses
import stamina

from apps.marketplaces.ozon_seller.client import BASE_URL, OzonSeller
from apps.marketplaces.ratelimit import SECOND, Limit, Limits

NO_LIMITS = Limits(every_call=(Limit(1_000_000, SECOND),), by_path={})


@pytest.fixture
def no_backoff() -> Iterator[None]:
    """Retries happen at once and stop after three attempts."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def api(no_backoff: None) -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def ozon() -> OzonSeller:
    return OzonSeller(client_id="100500", api_key="key-of-anna-0001", redis=None, limits=NO_LIMITS)


@pytest.fixture
def answer(api: responses.RequestsMock) -> Callable[..., None]:
    """answer(path, {...}, {...}): what the path says, call by call."""

    def add(path: str, *bodies: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        for body in bodies:
            api.post(BASE_URL + path, json=body, status=status, headers=headers)

    return add


@pytest.fixture
def sent(api: responses.RequestsMock) -> Callable[[], list[Any]]:
    """The JSON bodies sent so far."""
    return lambda: [json.loads(call.request.body or "null") for call in api.calls]


@pytest.fixture(scope="session")
def samples() -> Path:
    folder = os.environ.get("CONTRACT_FIXTURES")
    if not folder:
        pytest.skip("CONTRACT_FIXTURES does not name the folder of API samples")
    return Path(folder) / "ozon"


@pytest.fixture(scope="session")
def sample(samples: Path) -> Callable[[str], Any]:
    """A sample parsed as the client parses JSON: fractions are Decimal."""
    return lambda name: json.loads((samples / name).read_text(), parse_float=Decimal)
