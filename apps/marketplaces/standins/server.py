"""Running a frame: in the foreground for the demo, in a thread for tests."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from apps.marketplaces.standins.frame import Frame

START_SECONDS = 30
STOP_SECONDS = 10


class ResettableProtocol(H11Protocol):
    """HTTP whose requests can have their TCP connection reset: `request.state.reset()`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "reset": self._reset}

    def _reset(self) -> None:
        if self.transport.is_closing():
            return  # the client has hung up by itself
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Server(uvicorn.Server):
    """A uvicorn server that tells the frame to stop waiting when it stops itself."""

    def __init__(self, frame: Frame, *, host: str, port: int) -> None:
        self.frame = frame
        super().__init__(
            uvicorn.Config(
                frame.app,
                host=host,
                port=port,
                http=ResettableProtocol,
                lifespan="on",
                log_level="warning",
                timeout_graceful_shutdown=2,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.frame.closing.set()
        await super().shutdown(sockets)


@contextlib.contextmanager
def serving(frame: Frame, *, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the frame from a thread on a free port; yields the base URL, such as `http://127.0.0.1:40123`."""
    with socket.create_server((host, 0)) as listener:
        port = listener.getsockname()[1]
        server = Server(frame, host=host, port=port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="standins", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)
    if thread.is_alive():
        raise RuntimeError(f"the stand-ins did not stop within {STOP_SECONDS} seconds")


def _wait_until_started(server: Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(START_SECONDS * 100):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.01)
    raise RuntimeError("the stand-ins did not start; the reason stands in the log")
