"""Where OZON pushes its notifications. Nothing of them is believed or kept but which posting or product to read again.

It answers within milliseconds: OZON stops pushing to whoever takes more than five seconds or refuses too often.
"""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.common.clock import real_now
from apps.jobs.hints import hint
from apps.jobs.models import Hint
from apps.shops.models import Shop
from apps.shops.push import is_secret_of

MOST_BYTES = 1_000_000
POSTING_NUMBER = re.compile(r"[0-9A-Za-z-]{1,60}")
PING = "TYPE_PING"
OF_POSTINGS = frozenset(
    {
        *("TYPE_NEW_POSTING", "TYPE_POSTING_CANCELLED", "TYPE_STATE_CHANGED", "TYPE_CUTOFF_DATE_CHANGED"),
        *("TYPE_DELIVERY_DATE_CHANGED", "TYPE_FBO_POSTING_NEW", "TYPE_FBO_POSTING_CANCELLED"),
        *("TYPE_FBO_POSTING_STATE_CHANGED", "TYPE_FBO_POSTING_DELIVERY_DATE_CHANGED"),
    }
)
OF_PRODUCTS = frozenset({"TYPE_CREATE_OR_UPDATE_ITEM", "TYPE_CREATE_ITEM", "TYPE_UPDATE_ITEM"})


@csrf_exempt
@require_POST
def ozon_push(request: HttpRequest, shop_id: int, secret: str) -> JsonResponse:
    """Answers as OZON asks; a wrong secret and a shop that is not there are told alike."""
    shop = Shop.objects.filter(pk=shop_id, kind=Shop.Kind.OZON).first() if is_secret_of(shop_id, secret) else None
    if shop is None:
        return _error(404, "ERROR_UNKNOWN", "there is nothing here")
    message = _message(request)
    if message is None:
        return _error(400, "ERROR_PARAMETER_VALUE_MISSED", "message_type is missing")
    if message["message_type"] == PING:
        now = real_now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return JsonResponse({"version": settings.RELEASE, "name": "Vitrina", "time": now})
    _note(shop, message)
    return JsonResponse({"result": True})


def _message(request: HttpRequest) -> dict[str, Any] | None:
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return None
    try:
        message = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("message_type"), str) else None


def _note(shop: Shop, message: dict[str, Any]) -> None:
    """A type that says nothing to read again is well received, and forgotten."""
    if message["message_type"] in OF_POSTINGS:
        number = message.get("posting_number")
        if isinstance(number, str) and POSTING_NUMBER.fullmatch(number):
            hint(shop=shop, topic=Hint.Topic.POSTING, subjects=[number])
    elif message["message_type"] in OF_PRODUCTS:
        product_id = message.get("product_id")
        if isinstance(product_id, int) and 0 < product_id < 2**63:
            hint(shop=shop, topic=Hint.Topic.PRODUCT, subjects=[str(product_id)])


def _error(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message, "details": None}}, status=status)
