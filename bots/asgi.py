"""The bot as an ASGI application: the webhook's route, a health check, and everything else in its lifespan.

uvicorn bots.asgi:app
"""

from __future__ import annotations

import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import orjson  # noqa: E402 - Django must be set up first
from django.conf import settings  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse, Response  # noqa: E402
from starlette.routing import Route  # noqa: E402

from apps.common.db import in_thread  # noqa: E402
from bots import inbox  # noqa: E402
from bots.process import WEBHOOK_PATH, BotProcess, require_token  # noqa: E402

MOST_BYTES = 1_000_000
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name

require_token()


async def webhook(request: Request) -> Response:
    """Stores an update and only then says 200; a wrong secret is 403, garbage 400, and neither leaves a trace."""
    given = request.headers.get(SECRET_HEADER, "")
    expected = settings.TELEGRAM_WEBHOOK_SECRET
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        return Response(status_code=403)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return Response(status_code=400)
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    try:
        await in_thread(inbox.store, orjson.loads(body))
    except ValueError:
        return Response(status_code=400)
    return Response(status_code=200)


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is larger than any update."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


async def health(request: Request) -> JSONResponse:
    process: BotProcess = request.state.process
    return JSONResponse({"status": "healthy", "leading": process.leader.is_leading})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, BotProcess]]:
    process = BotProcess()
    async with process.running():
        yield {"process": process}


app = Starlette(routes=[Route(WEBHOOK_PATH, webhook, methods=["POST"]), Route("/healthz", health)], lifespan=lifespan)
