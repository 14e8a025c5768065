"""Asking the API as somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client

from apps.common.clock import real_now
from apps.dashboard.tokens import issue_token
from apps.shops.models import Member

HEALTH = "/api/health"


class Asker:
    """A client of the API; `headers` go with every call."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client = client
        self.headers = headers

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.get(path, query, headers=self.headers | headers)

    def post(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(path, query_params=query, headers=self.headers | headers)

    def json(self, path: str, **query: Any) -> Any:
        answer = self.get(path, query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refused(self, path: str, **query: Any) -> str:
        """What is wrong with this question."""
        answer = self.get(path, query)
        assert answer.status_code == 400, answer.content
        assert list(answer.json()) == ["detail"]
        return str(answer.json()["detail"])


def nobody() -> Asker:
    return Asker(Client())


def at_the_page(member: Member) -> Asker:
    client = Client()
    client.force_login(member.person.user)
    return Asker(client)


def with_token(member: Member, *, scope: str = "read") -> Asker:
    _token, text = issue_token(member=member, name="sheet", scope=scope, life=timedelta(days=30), now=real_now())
    return Asker(Client(), Authorization=f"Bearer {text}")


def paths() -> list[tuple[str, str]]:
    """Every operation as the document has it: method and address, with a number where one is asked for."""
    from apps.dashboard.api import api  # it wants configured settings

    document = api.get_openapi_schema()
    found = [(method, path) for path, methods in document["paths"].items() for method in methods]
    return [(method, path.replace("{category_id}", "1")) for method, path in found]
