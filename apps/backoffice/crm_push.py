"""Where KeyCRM's triggers send their webhooks. Nothing of them is believed or kept but which orders to read again.

They are signed by nothing, come late, twice and in any order, as one event, as a list of them, wrapped by a relay, or,
when the owner chose GET, as parameters. The order is read by the API, which alone knows how it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.jobs.hints import hint
from apps.jobs.models import Hint
from apps.shops.models import Shop
from apps.shops.push import is_secret_of

MOST_BYTES = 256 * 1024
MOST_EVENTS = 1_000
OF_ORDERS = "order."


@csrf_exempt
@require_http_methods(["GET", "POST"])
def keycrm_push(request: HttpRequest, shop_id: int, secret: str) -> JsonResponse:
    """200 for whatever was understood; a wrong secret and a shop that is not there are told alike."""
    shop = Shop.objects.filter(pk=shop_id, kind=Shop.Kind.KEYCRM).first() if is_secret_of(shop_id, secret) else None
    if shop is None:
        return JsonResponse({"error": "there is nothing here"}, status=404)
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        return JsonResponse({"error": f"more than {MOST_BYTES} bytes"}, status=413)
    try:
        body = json.loads(request.body) if request.body else request.GET.dict()
    except (ValueError, RecursionError):
        return JsonResponse({"error": "the body is not JSON"}, status=400)
    hint(shop=shop, topic=Hint.Topic.ORDER, subjects=list(_order_ids(body))[:MOST_EVENTS])
    return JsonResponse({"status": True})


def _order_ids(body: Any) -> Iterator[str]:
    """Ids of the orders that the events are about; rows of stock and whatever else say nothing to read again."""
    for event in body if isinstance(body, list) else [body]:
        if not isinstance(event, dict):
            continue
        relayed = event.get("body")
        inner = relayed if isinstance(relayed, dict) else event
        context = inner.get("context")
        order_id = context.get("id") if isinstance(context, dict) else inner.get("id")
        if str(inner.get("event", "")).startswith(OF_ORDERS) and _is_id(order_id):
            yield str(order_id)


def _is_id(value: Any) -> bool:
    text = str(value)
    return not isinstance(value, bool) and text.isascii() and text.isdecimal() and 0 < int(text) < 2**63
