"""Answers that went wrong on the wire. `INSTEAD` holds what is said without calling the endpoint, `SPOILED` what
becomes of an endpoint's true answer."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from apps.marketplaces.standins.faults import Fault, Kind
from apps.marketplaces.standins.pauses import until

ErrorOf = Callable[[int, int | None], Response]
GATEWAY_PAGE = "<!DOCTYPE html><html><head><title>Service</title></head><body><h1>Please wait</h1></body></html>"


class Unanswered(Response):
    """Silence for some seconds, then a reset of the connection. Ends early when the client or the server leaves."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await until(_gone(receive), closing=scope["state"]["closing"], seconds=self.seconds)
        scope["state"]["reset"]()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _rewritten(response: Response, body: bytes | memoryview, content_type: str | None = None) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    if content_type:
        headers["content-type"] = content_type
    return Response(bytes(body), status_code=response.status_code, headers=headers)


def _dripping(response: Response, seconds: float) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        for byte in bytes(response.body):
            yield bytes([byte])
            await asyncio.sleep(seconds)

    return StreamingResponse(drops(), status_code=response.status_code, headers=dict(response.headers))


INSTEAD: dict[Kind, Callable[[Fault, ErrorOf], Response]] = {
    Kind.TOO_MANY: lambda fault, error: error(429, fault.retry_after),
    Kind.SERVER_ERROR: lambda fault, error: error(500, None),
    Kind.HANG: lambda fault, error: Unanswered(fault.delay),
    Kind.HTML: lambda fault, error: HTMLResponse(GATEWAY_PAGE),
    Kind.RESET: lambda fault, error: Unanswered(0),
}
SPOILED: dict[Kind, Callable[[Fault, Response, ErrorOf], Response]] = {
    Kind.LOST_502: lambda fault, response, error: error(502, None),
    Kind.HANG_AFTER_APPLY: lambda fault, response, error: Unanswered(fault.delay),
    Kind.TRUNCATED_JSON: lambda fault, response, error: _rewritten(response, response.body[: len(response.body) // 2]),
    Kind.WRONG_CONTENT_TYPE: lambda fault, response, error: _rewritten(response, response.body, "text/plain"),
    Kind.DRIP: lambda fault, response, error: _dripping(response, fault.delay),
    Kind.RESET_AFTER_APPLY: lambda fault, response, error: Unanswered(0),
}
