"""The frame: one ASGI app that hosts the imitated APIs, plays scripted faults around them and logs every call.

An imitated API is a `StandIn`: its named routes, how it words an error, its control routes (no faults, no log) and
the work that runs beside it. A route's endpoint is `async def endpoint(call: Incoming) -> Response`; it looks at
`call.fault` only for the kinds that its route lists in `plays`. `registry.py` names the stand-ins.

Control routes of the frame itself:
    POST   /_faults  {route, kind, times, after_calls, delay, retry_after} or a list of them -> the whole script
    GET    /_faults                      -> the script that is still to be played
    DELETE /_faults?route=               -> forget it
    GET    /_calls?route=ozon:*          -> [{number, at, route, method, headers, request, status, fault}]
    DELETE /_calls
    GET    /_routes                      -> names of the imitated routes and the kinds they play
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from apps.marketplaces.standins.bodies import Body, read_body
from apps.marketplaces.standins.calls import CallLog
from apps.marketplaces.standins.faults import PLAYED_BY_ROUTE, Fault, FaultBook, Kind, parse_fault
from apps.marketplaces.standins.spoiled import INSTEAD, SPOILED, Unanswered


@dataclass(frozen=True)
class Incoming:
    """One call as an endpoint sees it: the parsed body, and the fault it has to play itself, if any."""

    request: Request
    body: Body
    fault: Fault | None = None

    @property
    def fields(self) -> dict[str, Any]:
        return self.body.fields

    def suffers(self, kind: Kind) -> bool:
        return self.fault is not None and self.fault.kind is kind


Endpoint = Callable[[Incoming], Awaitable[Response]]


@dataclass(frozen=True)
class Imitated:
    """A route of an imitated API. `name` is what scripts and logs call it, such as `ozon:/v5/product/info/prices`."""

    name: str
    path: str
    endpoint: Endpoint
    methods: tuple[str, ...] = ("POST",)
    plays: frozenset[Kind] = frozenset()


@dataclass(frozen=True)
class StandIn:
    """An imitated API. `error(status, retry_after)` is its own wording of 429, 500 and 502; `running(closing)` is
    entered while the server runs."""

    name: str
    routes: tuple[Imitated, ...]
    error: Callable[[int, int | None], Response]
    controls: tuple[BaseRoute, ...] = ()
    running: Callable[[asyncio.Event], AbstractAsyncContextManager[Any]] = nullcontext


class Frame:
    """The app and its two ledgers. What waits watches `closing` (`request.state.closing`), set at the server's stop."""

    def __init__(self, standins: Sequence[StandIn]) -> None:
        routes = [route for standin in standins for route in standin.routes]
        names = [route.name for route in routes]
        if len(set(names)) != len(names):
            raise ValueError(f"two imitated routes share a name: {sorted(n for n in names if names.count(n) > 1)[0]}")
        self.standins = tuple(standins)
        self.faults = FaultBook({route.name: route.plays for route in routes})
        self.calls = CallLog()
        self.closing = asyncio.Event()
        self.app = Starlette(routes=[*self._controls(), *self._imitated()], lifespan=self._lifespan)

    def _imitated(self) -> list[BaseRoute]:
        return [
            route
            for standin in self.standins
            for route in (*standin.controls, *(self._mount(standin, route) for route in standin.routes))
        ]

    def _mount(self, standin: StandIn, route: Imitated) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._answer(standin, route, request)

        return Route(route.path, endpoint, methods=list(route.methods), name=route.name)

    async def _answer(self, standin: StandIn, route: Imitated, request: Request) -> Response:
        fault = self.faults.claim(route.name)
        body = await read_body(request)
        call = self.calls.open(
            at=time.time(),
            route=route.name,
            method=request.method,
            headers=dict(request.headers),
            request=body.fields if body.error is None else {"unreadable": body.error},
        )
        response = await self._perform(standin, route, Incoming(request, body, fault))
        self.calls.close(
            call,
            status=None if isinstance(response, Unanswered) else response.status_code,
            fault=fault.kind.value if fault else None,
        )
        return response

    async def _perform(self, standin: StandIn, route: Imitated, call: Incoming) -> Response:
        fault = call.fault
        if fault is None or fault.kind in PLAYED_BY_ROUTE:
            return await route.endpoint(call)
        if fault.kind in INSTEAD:
            return INSTEAD[fault.kind](fault, standin.error)
        return SPOILED[fault.kind](fault, await route.endpoint(Incoming(call.request, call.body)), standin.error)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            for standin in self.standins:
                await stack.enter_async_context(standin.running(self.closing))
            yield {"closing": self.closing}

    def _controls(self) -> list[BaseRoute]:
        return [
            Route("/_faults", self._post_faults, methods=["POST"]),
            Route("/_faults", self._get_faults, methods=["GET"]),
            Route("/_faults", self._delete_faults, methods=["DELETE"]),
            Route("/_calls", self._get_calls, methods=["GET"]),
            Route("/_calls", self._delete_calls, methods=["DELETE"]),
            Route("/_routes", self._get_routes, methods=["GET"]),
        ]

    async def _post_faults(self, request: Request) -> Response:
        try:
            data = await request.json()
            faults = [parse_fault(item) for item in (data if isinstance(data, list) else [data])]
            for fault in faults:
                self.faults.add(fault)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return await self._get_faults(request)

    async def _get_faults(self, request: Request) -> Response:
        return JSONResponse([fault.as_json() for fault in self.faults.pending()])

    async def _delete_faults(self, request: Request) -> Response:
        self.faults.clear(request.query_params.get("route"))
        return await self._get_faults(request)

    async def _get_calls(self, request: Request) -> Response:
        return JSONResponse([call.as_json() for call in self.calls.of(request.query_params.get("route", "*"))])

    async def _delete_calls(self, request: Request) -> Response:
        self.calls.clear()
        return JSONResponse([])

    async def _get_routes(self, request: Request) -> Response:
        routes = (route for standin in self.standins for route in standin.routes)
        return JSONResponse({route.name: sorted(kind.value for kind in route.plays) for route in routes})
