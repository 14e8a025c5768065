"""The chat page: files of `chat/`, with a policy that lets nothing from elsewhere in."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).resolve().parent.parent / "chat"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


class Assets(StaticFiles):
    """Static files that a browser asks about anew each time."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


def page_routes() -> tuple[BaseRoute, ...]:
    return (
        Route("/", _to_page, methods=["GET"]),
        Route("/chat", _page, methods=["GET"]),
        Mount("/chat/assets", Assets(directory=FOLDER)),
    )


async def _to_page(request: Request) -> Response:
    return RedirectResponse("/chat")


async def _page(request: Request) -> Response:
    return FileResponse(FOLDER / "index.html", headers={**HEADERS, "Content-Security-Policy": POLICY})
