"""Reading a request's body the way the imitated APIs do: JSON objects, URL-encoded forms, multipart uploads."""

import json
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request


@dataclass(frozen=True)
class Upload:
    """A file of a multipart form."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Body:
    """`fields` is what was sent as an object; `error` says why there is none."""

    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    error: str | None = None


async def read_body(request: Request) -> Body:
    """The body of a request; query parameters stand beneath it, as several of the imitated APIs allow."""
    raw = await request.body()
    body = _parse(request.headers.get("content-type", ""), raw)
    return Body({**dict(request.query_params), **body.fields}, body.files, body.error)


def _parse(content_type: str, raw: bytes) -> Body:
    if not raw:
        return Body()
    if content_type.startswith("multipart/form-data"):
        return _multipart(content_type, raw)
    if content_type.startswith("application/x-www-form-urlencoded"):
        try:
            return Body(dict(parse_qsl(raw.decode(), keep_blank_values=True)))
        except UnicodeDecodeError as error:
            return Body(error=f"the form is not UTF-8: {error}")
    return _json(raw)


def _json(raw: bytes) -> Body:
    try:
        data = json.loads(raw)
    except ValueError as error:
        return Body(error=f"the body is not JSON: {error}")
    return Body(data) if isinstance(data, dict) else Body(error="the body is not a JSON object")


def _multipart(content_type: str, raw: bytes) -> Body:
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    fields: dict[str, Any] = {}
    files: dict[str, Upload] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            return Body(error="a part of the multipart form has no name")
        if part.get_filename() is None:
            fields[name] = content.decode(errors="replace")
        else:
            files[name] = Upload(str(part.get_filename()), part.get_content_type(), content)
    return Body(fields, files) if fields or files else Body(error="the multipart form is empty")
