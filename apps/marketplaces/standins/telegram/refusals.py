"""How the Bot API says no."""

from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

PHRASES = {401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"


class Refusal(Exception):
    """An answer with `ok: false`; `description` is what clients match on."""

    def __init__(self, status: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.retry_after = status, description, retry_after

    def response(self) -> Response:
        body: dict[str, Any] = {"ok": False, "error_code": self.status, "description": self.description}
        headers = {}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
            headers["Retry-After"] = str(self.retry_after)
        return JSONResponse(body, status_code=self.status, headers=headers)


def error(status: int, retry_after: int | None) -> Response:
    """The wording of scripted faults: JSON from the API itself, a page from the gateway before it."""
    if status == 502:
        return HTMLResponse(GATEWAY, status_code=502)
    wait = "" if retry_after is None else f": retry after {retry_after}"
    return Refusal(status, f"{PHRASES[status]}{wait}", retry_after=retry_after).response()
