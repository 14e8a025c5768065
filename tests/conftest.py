"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings


@pytest.fixture
def empty_redis() -> Iterator[redis.Redis]:
    """This worker's own Redis database, empty before and after."""
    with redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()
