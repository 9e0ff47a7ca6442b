"""Notifiers against servers of this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from tradewind.kernel.clock import SystemClock
from tradewind.sdk.attempt import Attempt, working_on
from tradewind.sdk.connections import Connection
from tradewind.sdk.errors import WrongArgument
from tradewind.sdk.exceptions import AirflowException, AirflowOptionalProviderFeatureException
from tradewind.sdk.mail import addresses, build_message
from tradewind.sdk.memory_client import MemoryClient, MemoryWorld
from tradewind.standard.notifiers import AppriseNotifier, SlackWebhookNotifier, SmtpNotifier, WebhookNotifier

CONTEXT = {
    "dag": SimpleNamespace(dag_id="d"),
    "run_id": "r",
    "ti": SimpleNamespace(task_id="t", try_number=2, log_url="http://log"),
    "reason": "task_failure",
    "exception": ValueError("<no>"),
}


class Web:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, dict[str, str], Any]] = []
        self.status = 200
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.heard.append((self.command, self.path, dict(self.headers), json.loads(body)))
                self.send_response(web.status)
                self.end_headers()
                self.wfile.write(b"said")

            do_PUT = do_POST

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def world() -> Iterator[MemoryWorld]:
    made = MemoryWorld("d", "r")
    with working_on(Attempt(MemoryClient(made, ("t", "")), "x", SystemClock())):
        yield made


class PostOffice(threading.Thread):
    """An SMTP server that takes one message."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.lines: list[str] = []
        self.start()

    def run(self) -> None:
        line, _ = self.door.accept()
        with line, line.makefile("rb") as words:
            line.sendall(b"220 here\r\n")
            in_data = False
            for raw in words:
                word = raw.decode().rstrip("\r\n")
                self.lines.append(word)
                if in_data:
                    if word == ".":
                        in_data = False
                        line.sendall(b"250 taken\r\n")
                    continue
                if word.upper() == "DATA":
                    in_data = True
                    line.sendall(b"354 go on\r\n")
                elif word.upper() == "QUIT":
                    line.sendall(b"221 bye\r\n")
                    return
                else:
                    line.sendall(b"250 ok\r\n")


def test_an_email_says_what_failed(world: MemoryWorld) -> None:
    office = PostOffice()
    world.connections["smtp_default"] = Connection(
        conn_id="smtp_default", conn_type="smtp", host="127.0.0.1", port=office.port,
        extra='{"disable_ssl": true, "disable_tls": true, "from_email": "tw@example.org"}',
    )  # fmt: skip
    SmtpNotifier(to="a@example.org; b@example.org", bcc=["c@example.org"])(CONTEXT)
    office.join(5)
    text = "\n".join(office.lines)
    assert [line for line in office.lines if line.lower().startswith("rcpt")] == [
        "rcpt TO:<a@example.org>",
        "rcpt TO:<b@example.org>",
        "rcpt TO:<c@example.org>",
    ]
    assert "Subject: Tradewind: d.t: task_failure" in text
    assert "From: tw@example.org" in text
    assert "c@example.org" not in text.partition("\ndata\n")[2]
    assert "&lt;no&gt;" in text


def test_messages(tmp_path: Any) -> None:
    (tmp_path / "a.csv").write_text("1,2")
    message, everybody = build_message(
        "a@b.c", "over\ntwo lines", "<p>x</p>", from_email="me@b.c", cc="d@e.f", files=[str(tmp_path / "a.csv")],
        custom_headers={"X-Team": "data"},
    )  # fmt: skip
    assert (message["Subject"], message["X-Team"], everybody) == ("over two lines", "data", ["a@b.c", "d@e.f"])
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.csv"]
    with pytest.raises(ValueError, match="'nobody' is not an e-mail address"):
        addresses("nobody")
    with pytest.raises(ValueError, match="at least one address"):
        build_message("", "s", "b", from_email="me@b.c")


def test_a_webhook_gets_the_facts(web: Web, world: MemoryWorld) -> None:
    WebhookNotifier(f"{web.url}/{{{{ dag.dag_id }}}}")(CONTEXT)
    ((method, path, _, body),) = web.heard
    assert (method, path) == ("POST", "/d")
    assert body == {"dag_id": "d", "run_id": "r", "task_id": "t", "reason": "task_failure", "exception": "<no>"}
    world.connections["hook"] = Connection(conn_id="hook", conn_type="http", host=web.url, password="hush-hush")
    notifier = WebhookNotifier(conn_id="hook", payload={"a": ["{{ run_id }}"]}, method="PUT", context=CONTEXT)

    async def wait() -> None:
        await notifier

    asyncio.run(wait())
    method, _, headers, body = web.heard[1]
    assert (method, body, headers["Authorization"]) == ("PUT", {"a": ["r"]}, "Bearer hush-hush")
    with pytest.raises(WrongArgument, match="needs url= or conn_id="):
        WebhookNotifier()


def test_a_refusal_is_told_without_the_address(web: Web) -> None:
    web.status = 403
    with pytest.raises(AirflowException, match=r"the webhook at 127.0.0.1 answered 403 Forbidden: said") as caught:
        WebhookNotifier(f"{web.url}/secret-path")(CONTEXT)
    assert "secret-path" not in str(caught.value)


def test_slack(web: Web, world: MemoryWorld) -> None:
    host, _, port = web.url.removeprefix("http://").partition(":")
    world.connections["slack_default"] = Connection(
        conn_id="slack_default", conn_type="slackwebhook", schema="http", host=host, port=int(port), password="T0/B0/x"
    )
    SlackWebhookNotifier()(CONTEXT)
    SlackWebhookNotifier(text="{{ run_id }}", blocks=[{"text": "{{ dag.dag_id }}"}], unfurl_links=False)(CONTEXT)
    assert [(path, body) for _, path, _, body in web.heard] == [
        ("/T0/B0/x", {"text": "d.t: task_failure"}),
        ("/T0/B0/x", {"text": "r", "blocks": [{"text": "d"}], "unfurl_links": False}),
    ]


def test_apprise(monkeypatch: pytest.MonkeyPatch, world: MemoryWorld) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(AirflowOptionalProviderFeatureException, match=r"install tradewind\[apprise\]"):
        AppriseNotifier(body="x")({})
    told: list[Any] = []

    class Apprise:
        takes = True

        def add(self, path: str, tag: Any = None) -> None:
            told.append((path, tag))

        def notify(self, **message: Any) -> bool:
            told.append(message)
            return self.takes

    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=Apprise))
    world.connections["apprise_default"] = Connection(
        conn_id="apprise_default", conn_type="apprise", extra='{"config": {"path": "json://x", "tag": "ops"}}'
    )
    AppriseNotifier(body="{{ run_id }}", title="T", notify_type="failure", tag="ops")(CONTEXT)
    assert told == [
        ("json://x", "ops"),
        {"body": "r", "title": "T", "notify_type": "failure", "body_format": "text", "tag": "ops"},
    ]
    Apprise.takes = False
    with pytest.raises(AirflowException, match="could not deliver"):
        AppriseNotifier(body="x")(CONTEXT)
