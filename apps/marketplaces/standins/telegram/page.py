"""The chat page: files of `chat/`, with a policy that lets nothing from elsewhere in."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).resolve().parent.parent / "chat"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes() -> tuple[BaseRoute, ...]:
    return (
        Route("/", _to_page, methods=["GET"]),
        Route("/chat", _page, methods=["GET"]),
        Mount("/chat/assets", StaticFiles(directory=FOLDER)),
    )


async def _to_page(request: Request) -> Response:
    return RedirectResponse("/chat")


async def _page(request: Request) -> Response:
    return FileResponse(FOLDER / "index.html", headers=HEADERS)
