"""A tiny HTTP server that says exactly the bytes it is told to, at the pace it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket], None]


class Wire:
    """Listens on a free loopback port; each connection is played by `script` after its request was received."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._server = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.base_url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closing the listening socket is how the test ends it
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client hangs up in the middle of many scripts
            while request := _whole_request(connection):
                self.requests.append(request)
                self._script(connection)

    def close(self) -> None:
        self._server.close()


def _whole_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := connection.recv(65_536)):
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def says(body: bytes, *, status: str = "200 OK", length: int | None = None, headers: bytes = b"") -> Script:
    """One answer, then the connection is closed when `length` promises more than there is."""
    size = len(body) if length is None else length

    def script(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n".encode() + headers + b"\r\n" + body)
        if size > len(body):
            connection.shutdown(socket.SHUT_RDWR)

    return script


def drips(answer: bytes, *, every: float) -> Script:
    """The bytes of `answer`, one by one."""

    def script(connection: socket.socket) -> None:
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(every)

    return script


def hangs(connection: socket.socket) -> None:
    """Reads the request and never answers."""
    time.sleep(30)


def hangs_up(connection: socket.socket) -> None:
    """Reads the request and closes the connection."""
    connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire(script: Script) -> Iterator[Wire]:
    server = Wire(script)
    try:
        yield server
    finally:
        server.close()


def closed_port() -> str:
    """The address of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
