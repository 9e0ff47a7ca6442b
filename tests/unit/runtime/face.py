"""An execution face for tests: a real HTTP server with scripted answers that remembers what it heard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tradewind.wire.execution import (
    AgentMessage,
    Claim,
    Done,
    Exchange,
    Go,
    Heartbeat,
    Hello,
    Outcome,
    Reply,
    Report,
    Stops,
    decode_exchange,
    encode_replies,
)

WAIT_SECONDS = 30.0


class Face:
    """Answers Go, Done and Stops({}) unless `answer` says otherwise.

    `held` exchanges wait until it is set; while `status` is not 200 exchanges are refused with it.
    """

    def __init__(self) -> None:
        self.answer: Callable[[AgentMessage], Reply | None] = lambda _message: None
        self.status = 200
        self.held = threading.Event()
        self.held.set()
        self.exchanges: list[Exchange] = []
        self.headers: list[dict[str, str]] = []
        self._changed = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self._connections: list[object] = []
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        face = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                face._connections.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                face.held.wait(WAIT_SECONDS)
                status, answer = face._serve(body, dict(self.headers))
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True

            def handle_error(self, *_arguments: object) -> None:
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Be away: connections break, new ones are refused."""
        import socket

        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
            except OSError:
                pass
        self._connections.clear()

    def _serve(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        exchange = decode_exchange(body)
        with self._changed:
            self.headers.append(headers)
            if self.status != 200:
                self._changed.notify_all()
                return self.status, b"refused by the test"
            replies = [self.answer(message) or default_reply(message) for message in exchange.messages]
            self.exchanges.append(exchange)
            self._changed.notify_all()
        return 200, encode_replies(replies)

    # --- what was heard -----------------------------------------------------------------------------------------------

    def messages(self) -> list[AgentMessage]:
        with self._changed:
            return [message for exchange in self.exchanges for message in exchange.messages]

    def reports(self, token: str) -> list[Outcome]:
        return [m.outcome for m in self.messages() if isinstance(m, Report) and m.token == token]

    def claims(self, token: str) -> list[Claim]:
        return [m for m in self.messages() if isinstance(m, Claim) and m.token == token]

    def wait_for(self, condition: Callable[[], object], what: str = "the condition") -> None:
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_SECONDS), (
                f"{what} did not come true; heard: {self.exchanges[-5:]}"
            )

    def outcome(self, token: str) -> Outcome:
        """The outcome of an attempt, as soon as it is reported."""
        self.wait_for(lambda: self._reported(token), f"report of {token}")
        return self.reports(token)[0]

    def _reported(self, token: str) -> bool:
        return any(isinstance(m, Report) and m.token == token for e in self.exchanges for m in e.messages)

    def wait_message(self, test: Callable[[AgentMessage], bool], what: str = "a message") -> None:
        self.wait_for(lambda: any(test(m) for e in self.exchanges for m in e.messages), what)

    def wait_heartbeats(self, more: int = 2) -> None:
        """Until so many more heartbeats were heard: what the agent would have said by then, it has said."""

        def count() -> int:
            return sum(isinstance(m, Heartbeat) for e in self.exchanges for m in e.messages)

        goal = count() + more
        self.wait_for(lambda: count() >= goal, "heartbeats")


def default_reply(message: AgentMessage) -> Reply:
    match message:
        case Claim():
            return Go()
        case Heartbeat():
            return Stops({})
        case Hello() | Report():
            return Done()
        case _:
            return Done()
