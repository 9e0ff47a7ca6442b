"""Providers for real: their operators and hooks against servers of this machine. These tests run where the packages
are installed (`tradewind providers install ...`), and are passed over elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Answering(BaseHTTPRequestHandler):
    """Keeps what it is asked and answers with JSON."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append((self.command, self.path, self.rfile.read(length)))  # type: ignore[attr-defined]
        body = b"ok" if self.path.startswith("/services") else b'{"state": "done"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    """A web server; `web.asked` is what it was asked, `web.server_port` where it is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, name="web of the test", daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ran(dag: Any) -> dict[str, str]:
    """Task id → final state of `dag.test()`; the run is printed when one failed."""
    run = dag.test()
    return {task.task_id: str(task.state) for task in run.get_task_instances()}
