"""The answer of /healthz."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings


@pytest.mark.django_db
def test_it_is_ok_with_the_build_when_both_servers_answer(client: Client, settings: Settings) -> None:
    settings.RELEASE = "2026-11-22"
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "release": "2026-11-22", "postgres": True, "redis": True}


@pytest.mark.django_db
def test_it_names_the_server_that_is_down(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["postgres"] is True
    assert answer.json()["redis"] is False


def test_the_admins_own_style_is_served_from_its_package(client: Client) -> None:
    answer = client.get("/static/unfold/css/styles.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
