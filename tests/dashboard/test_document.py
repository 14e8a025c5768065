"""The OpenAPI document: its page works without the network, and what it says is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backoffice.fill import Filled
from tests.dashboard.asking import HEALTH, Asker, at_the_page, paths, with_token
from tests.dashboard.sold import Cosmetics

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 5
WITH_PARAMETERS = [(method, path) for method, path in paths() if path != HEALTH]


def test_its_page_loads_nothing_from_elsewhere(anna: Filled) -> None:
    asker = at_the_page(anna.owner)
    page = asker.get("/api/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert len(loaded) >= 3
    assert all(address.startswith("/static/ninja/") for address in loaded)
    assert {asker.get(address).status_code for address in loaded} == {200}
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page.content.decode())


@pytest.fixture
def program(anna: Filled, cosmetics: Cosmetics, _generous: None) -> Iterator[Asker]:
    """Over WSGI; the connection with what the test has written stays open, as Django's own client keeps it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield with_token(anna.owner)
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), WITH_PARAMETERS, ids=lambda value: str(value).removeprefix("/api/"))
def test_what_is_asked_is_answered_as_described(method: str, path: str, mode: GenerationMode, program: Asker) -> None:
    """Questions made of the document, right ones and wrong ones: never a defect, never an answer that is not in it."""
    application = get_wsgi_application()
    schema: Any = schemathesis.openapi.from_dict(document())
    schema.app = application
    operation = schema[path.replace("/1/", "/{category_id}/")][method.upper()]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        answer = case.call(headers=program.headers | {"Accept-Encoding": "identity"})
        case.validate_response(answer, checks=CHECKS)

    ask()


@cache
def document() -> dict[str, Any]:
    from apps.dashboard.api import api  # it wants configured settings

    return dict(api.get_openapi_schema())
