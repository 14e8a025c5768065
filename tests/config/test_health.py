"""The answer of /healthz."""

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings


@pytest.mark.django_db
def test_it_is_ok_with_the_build_when_both_servers_answer(client: Client, settings: Settings) -> None:
    settings.RELEASE = "2026-11-22"
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "release": "2026-11-22", "postgres": True, "redis": True}


@pytest.mark.django_db
def test_it_goes_on_without_redis_and_names_it(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "release": settings.RELEASE, "postgres": True, "redis": False}


@pytest.mark.django_db(transaction=True)
def test_it_is_down_without_postgres(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["postgres"] is False


def test_the_admins_own_style_is_served_from_its_package(client: Client) -> None:
    answer = client.get("/static/unfold/css/styles.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
