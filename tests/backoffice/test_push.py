"""OZON's push notifications: answered as documented, and never believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.jobs.models import Hint
from apps.sales.models import Order
from apps.shops.models import Shop
from apps.shops.push import push_path
from apps.shops.roles import Role
from tests.backoffice.site import client_of
from tests.cast import anna, boris, member
from tests.marketplaces.conftest import samples

__all__ = ["samples"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return anna().seller.shops.get()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr("apps.jobs.hints.wake", names.append)
    return names


def push(path: str, body: Any) -> tuple[int, Any]:
    answer = Client().post(path, body if isinstance(body, bytes) else json.dumps(body), "application/json")
    return answer.status_code, answer.json()


def hints() -> list[tuple[str, str]]:
    return list(Hint.objects.values_list("topic", "subject"))


def test_a_ping_is_answered_with_a_name_a_version_and_the_time(shop: Shop, woken: list[str]) -> None:
    status, body = push(push_path(shop.pk), {"message_type": "TYPE_PING", "time": "2026-10-01T10:00:00Z"})
    assert (status, set(body), body["name"]) == (200, {"version", "name", "time"}, "Vitrina")
    assert body["time"].endswith("Z")
    assert (hints(), woken) == ([], [])


@pytest.mark.parametrize("name", ["NEW_POSTING", "POSTING_CANCELLED", "STATE_CHANGED"])
def test_a_push_of_a_posting_leaves_a_hint_and_wakes_the_reader(
    shop: Shop, woken: list[str], samples: Path, name: str
) -> None:
    body = json.loads((samples / f"push/TYPE_{name}.1.en2026-06.json").read_text())

    assert push(push_path(shop.pk), body) == (200, {"result": True})

    assert hints() == [("posting", body["posting_number"])]
    assert woken == ["hints.follow"]
    assert not Order.objects.exists(), "what it says of the posting is not stored"


def test_a_push_of_a_product_hints_at_it(shop: Shop, woken: list[str]) -> None:
    body = {"message_type": "TYPE_UPDATE_ITEM", "product_id": 77, "offer_id": "A-1", "is_error": False}
    assert push(push_path(shop.pk), body) == (200, {"result": True})
    assert hints() == [("product", "77")]


def test_the_same_push_again_is_one_hint(shop: Shop, woken: list[str]) -> None:
    body = {"message_type": "TYPE_STATE_CHANGED", "posting_number": "24219509-0020-2"}
    for _ in range(3):
        assert push(push_path(shop.pk), body) == (200, {"result": True})
    assert hints() == [("posting", "24219509-0020-2")]


@pytest.mark.parametrize(
    "body",
    [
        {"message_type": "TYPE_NEW_MESSAGE", "chat_id": "1"},
        {"message_type": "TYPE_OF_TOMORROW"},
        {"message_type": "TYPE_NEW_POSTING"},
        {"message_type": "TYPE_NEW_POSTING", "posting_number": "'; drop table orders"},
        {"message_type": "TYPE_NEW_POSTING", "posting_number": "1" * 61},
        {"message_type": "TYPE_UPDATE_ITEM", "product_id": "77"},
        {"message_type": "TYPE_UPDATE_ITEM", "product_id": 2**63},
    ],
)
def test_what_says_nothing_to_read_is_received_and_forgotten(shop: Shop, woken: list[str], body: Any) -> None:
    assert push(push_path(shop.pk), body) == (200, {"result": True})
    assert (hints(), woken) == ([], [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"message_type": 7}', b"\xff", b"[" * 100_000])
def test_garbage_is_refused_as_documented(shop: Shop, body: bytes) -> None:
    status, answer = push(push_path(shop.pk), body)
    assert status == 400
    assert answer["error"]["code"] == "ERROR_PARAMETER_VALUE_MISSED"
    assert answer["error"].keys() == {"code", "message", "details"}


def test_a_wrong_secret_and_another_shops_open_nothing(shop: Shop, woken: list[str]) -> None:
    other = boris().seller.shops.get()
    theirs = push_path(other.pk).rpartition("/")[2]
    body = {"message_type": "TYPE_STATE_CHANGED", "posting_number": "24219509-0020-2"}
    for path in (f"/push/ozon/{shop.pk}/{theirs}", f"/push/ozon/{shop.pk}/x", f"/push/ozon/999999/{theirs}"):
        status, answer = push(path, body)
        assert (status, answer["error"]["code"]) == (404, "ERROR_UNKNOWN")
    assert (hints(), woken) == ([], [])


def test_it_is_only_posted_to(shop: Shop) -> None:
    assert Client().get(push_path(shop.pk)).status_code == 405


def test_only_who_may_change_the_shop_sees_the_address(shop: Shop) -> None:
    owner = shop.seller.members.get()
    viewer = member(shop.seller, "Clara", role=Role.VIEWER)
    page = reverse("admin:shops_shop_change", args=[shop.pk])
    for one in (owner, viewer):
        one.person.user.is_staff = True
        one.person.user.save()
    shown = [push_path(shop.pk) in client_of(one).get(page).content.decode() for one in (owner, viewer)]
    assert shown == [True, False]
