"""Waits until the installation is ready, as its own probe says, and tells people where everything is."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

from tradewind import __version__
from tradewind.kernel.clock import Clock
from tradewind.kernel.settings import Settings

_LOOK_SECONDS = 0.05
_ANSWER_SECONDS_MAX = 5.0
_COMPLAIN_SECONDS = 20.0


class Answer(NamedTuple):
    """What the probe said."""

    ready: bool
    lacking: str


def probe(host: str, port: int, *, tls: bool = False) -> Answer:
    """Ask `GET /health/ready`. A plain socket: an HTTP library would weigh more than this whole process."""
    request = f"GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    try:
        with _line(host, port, tls) as line:
            line.sendall(request.encode())
            received = b""
            while data := line.recv(65536):
                received += data
    except OSError as error:
        return Answer(False, f"the API server does not answer ({error})")
    head, _, body = received.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    return Answer(status == [b"200"], _lacking(body))


def _line(host: str, port: int, tls: bool) -> socket.socket:
    line = socket.create_connection((host, port), _ANSWER_SECONDS_MAX)
    if not tls:
        return line
    import ssl

    # This machine asks itself, by an address that stands in no certificate; nothing secret is said.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(line)


def wait_ready(host: str, port: int, clock: Clock, complain: Callable[[str], None], *, tls: bool = False) -> float:
    """Ask until the answer is yes; how many seconds it took. `complain` hears every now and then what is lacking."""
    started = told = clock.monotonic()
    pause = threading.Event()
    while not (answer := probe(host, port, tls=tls)).ready:
        now = clock.monotonic()
        if now - told >= _COMPLAIN_SECONDS:
            told = now
            complain(f"not ready after {now - started:.0f} s: {answer.lacking}")
        pause.wait(_LOOK_SECONDS)
    return clock.monotonic() - started


def local_address(settings: Settings) -> tuple[str, int]:
    """Where this machine reaches the API server, whatever address it listens on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.api.host, settings.api.host)  # noqa: S104 # compared only
    return host, settings.api.port


def summary(settings: Settings, seconds: float, admin: str) -> str:
    """What is printed when everything is ready."""
    lines = [
        f"Tradewind {__version__} is ready ({seconds:.1f} s)",
        f"  address      {settings.api.base_url}",
        f"  sign-in      {admin}",
        f"  DAGs folder  {settings.core.dags_folder}",
        f"  home         {settings.home}",
        "Save a DAG file into the DAGs folder and it runs. Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


def _lacking(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return "the API server gave no readable answer"
    problem = document.get("database", {}).get("problem")
    if problem:
        return str(problem)
    components = document.get("components", {})
    return ", ".join(f"{name} is {found.get('status')}" for name, found in components.items())
