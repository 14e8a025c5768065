"""An answer out of the read store, and its ETag: what was answered before is not asked again.

The tag is made of the store's versions and of the question, before the store is asked: a 304 costs it nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from apps.analytics import questions
from apps.analytics.models import StoreVersion
from apps.dashboard.wire import dump, tag_of, tagged


def answer(request: HttpRequest, shops: tuple[int, ...], asked: object, build: Callable[[], Any]) -> HttpResponse:
    """What `build` returns, as JSON; or 304 when the caller has it already. `asked` tells one question from another by
    its repr. Raises what `build` raises, and `NotBuilt`."""
    versions = questions.answering(shops)
    response = tagged(request, _tag(request.path, asked, versions), lambda: dump(build()))
    response["Vitrina-As-Of"] = min(version.as_of for version in versions).astimezone(UTC).isoformat(timespec="seconds")
    return response


def _tag(path: str, asked: object, versions: tuple[StoreVersion, ...]) -> str:
    numbers = [(version.shop_id, version.number) for version in versions]
    return tag_of(repr((settings.RELEASE, get_language(), path, asked, numbers)).encode())
