"""HTTP clients that cost little beside the server they ask: bare sockets, kept open, all of them in one thread."""

import select
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

END_OF_HEADERS = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float


@dataclass
class _Client:
    """One connection with at most one question under way."""

    port: int
    connection: socket.socket | None = None
    question: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    began: float = 0.0

    def ask(self, question: bytes) -> None:
        self.question, self.began = question, time.perf_counter()
        self.received.clear()
        self._send()

    def _send(self) -> None:
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port))
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(self.question)

    def read(self) -> Answer | None:
        """The answer when it is there to its end. Raises ConnectionError when the server hangs up in the middle."""
        assert self.connection is not None
        block = self.connection.recv(1 << 18)
        if not block:
            raise ConnectionError(f"the server hung up after {len(self.received)} bytes")
        self.received += block
        head, mark, body = bytes(self.received).partition(END_OF_HEADERS)
        if not mark:
            return None
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        code = int(status.split()[1])
        if code != 304 and len(body) < int(headers["content-length"]):
            return None
        if headers.get("connection") == "close":
            self.connection.close()
            self.connection = None
        return Answer(code, headers, body, (time.perf_counter() - self.began) * 1000)


def question(path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def ask(port: int, asked: Sequence[bytes]) -> list[Answer]:
    """One client, one question after the other."""
    client, answers = _Client(port), []
    for each in asked:
        client.ask(each)
        while (answer := client.read()) is None:
            pass
        answers.append(answer)
    return answers


def ask_at_once(port: int, asked: Sequence[bytes], *, clients: int, seconds: float) -> list[Answer]:
    """So many clients, each of which asks again as soon as it is answered, for so long; the questions go round."""
    waiting = deque(asked)
    ends_at = time.perf_counter() + seconds
    by_socket: dict[int, _Client] = {}
    poll = select.poll()
    answers: list[Answer] = []

    def begin(client: _Client) -> None:
        waiting.rotate(-1)
        client.ask(waiting[0])
        assert client.connection is not None
        if client.connection.fileno() not in by_socket:
            by_socket[client.connection.fileno()] = client
            poll.register(client.connection, select.POLLIN)

    for _client in range(clients):
        begin(_Client(port))
    busy = clients
    while busy:
        for number, _event in poll.poll():
            client = by_socket[number]
            answer = client.read()
            if answer is None:
                continue
            answers.append(answer)
            if client.connection is None:
                poll.unregister(number)
                del by_socket[number]
            if time.perf_counter() < ends_at:
                begin(client)
            else:
                busy -= 1
    return answers
