from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tradewind.standard import HttpHook, HttpOperator, HttpSensor


class Handler(BaseHTTPRequestHandler):
    """Echoes requests as JSON; /status/N answers with N; /later answers 404 twice."""

    seen: dict[str, int]

    def _answer(self) -> None:
        self.server.calls.append(self.path)  # type: ignore[attr-defined]
        status = 200
        if self.path.startswith("/status/"):
            status = int(self.path.rpartition("/")[2])
        if self.path == "/later" and self.server.calls.count("/later") < 3:  # type: ignore[attr-defined]
            status = 404
        length = int(self.headers.get("Content-Length") or 0)
        said = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        body = json.dumps(said).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/landed")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.calls = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = made.server_address[1]
        monkeypatch.setenv("AIRFLOW_CONN_HTTP_DEFAULT", f"http://user:secret@127.0.0.1:{port}/?X-Team=blue&timeout=5")
        yield made
        made.shutdown()
        thread.join()


def url(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def test_a_request_through_the_connection(run: Any, server: ThreadingHTTPServer) -> None:
    ended = run(HttpOperator, endpoint="/a/{{ ds }}", method="GET", data={"q": "1"}, headers={"X-Mine": "m"})
    said = json.loads(ended.value)
    assert said["path"] == "/a/2024-01-01?q=1"
    assert said["headers"]["x-team"] == "blue"
    assert said["headers"]["x-mine"] == "m"
    assert said["headers"]["authorization"].startswith("Basic ")
    assert "timeout" not in said["headers"]


def test_an_absolute_url_needs_no_connection(run: Any, server: ThreadingHTTPServer, monkeypatch: Any) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_HTTP_DEFAULT")
    ended = run(HttpOperator, endpoint=url(server, "/x"), method="GET", response_filter=lambda r: r.json()["path"])
    assert ended.value == "/x"
    assert "'http_default' is not defined" in run(HttpOperator, endpoint="x").reason


def test_bodies(run: Any, server: ThreadingHTTPServer) -> None:
    def body(**kwargs: Any) -> Any:
        return run(HttpOperator, endpoint="x", response_filter=lambda r: r.json()["body"], **kwargs).value

    assert body(data="text {{ ds }}") == "text 2024-01-01"
    assert body(data={"a": "1"}) == "a=1"
    assert json.loads(body(request_kwargs={"json": {"a": [1]}})) == {"a": [1]}


def test_errors_name_the_request_and_the_status(run: Any, server: ThreadingHTTPServer) -> None:
    ended = run(HttpOperator, endpoint="status/503", method="GET")
    assert ended.state == "failed"
    assert "GET http://127.0.0.1" in ended.reason
    assert "503 Service Unavailable" in ended.reason
    assert run(HttpOperator, endpoint="status/503", extra_options={"check_response": False}).state == "success"


def test_redirects(run: Any, server: ThreadingHTTPServer) -> None:
    path = {"response_filter": lambda r: r.status_code}
    assert run(HttpOperator, endpoint="status/302", method="GET", **path).value == 200
    kwargs = {"extra_options": {"allow_redirects": False}, **path}
    assert run(HttpOperator, endpoint="status/302", method="GET", **kwargs).value == 302


def test_checks_and_filters_get_context(run: Any, server: ThreadingHTTPServer) -> None:
    good = run(HttpOperator, endpoint="x", response_check=lambda response, ds: response.ok and ds == "2024-01-01")
    assert good.state == "success"
    bad = run(HttpOperator, endpoint="x", response_check=lambda response: False)
    assert "response_check of task 't' returned false" in bad.reason


def test_pages(run: Any, server: ThreadingHTTPServer) -> None:
    def following(response: Any) -> Any:
        return {"endpoint": "page/2"} if response.request.url.path == "/page/1" else None

    ended = run(HttpOperator, endpoint="page/1", method="GET", pagination_function=following)
    assert [json.loads(text)["path"] for text in ended.value] == ["/page/1", "/page/2"]


def test_sensor(run: Any, server: ThreadingHTTPServer) -> None:
    assert run(HttpSensor, endpoint="later").state == "success"
    assert server.calls.count("/later") == 3  # type: ignore[attr-defined]
    assert run(HttpSensor, endpoint="status/500").state == "failed"
    assert run(HttpSensor, endpoint="status/500", response_error_codes_allowlist=["500"], timeout=100).state == "failed"
    counted = iter([False, True])
    assert run(HttpSensor, endpoint="x", response_check=lambda response: next(counted)).state == "success"
    nobody = run(HttpSensor, endpoint="http://127.0.0.1:9/x", timeout=100, soft_fail=True)
    assert nobody.state == "skipped"


def test_hook_says_whether_it_works(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert HttpHook("GET").test_connection()[0] is True
    monkeypatch.setenv("AIRFLOW_CONN_HTTP_DEFAULT", "http://127.0.0.1:9")
    assert HttpHook("GET").test_connection()[0] is False


def test_a_request_in_the_triggerer(run: Any, server: ThreadingHTTPServer) -> None:
    ended = run(HttpOperator, endpoint="/a", method="GET", deferrable=True, response_check=lambda response: response.ok)
    assert json.loads(ended.value)["path"] == "/a"

    def following(response: Any) -> dict[str, Any] | None:
        return {"endpoint": "/second"} if response.json()["path"] == "/first" else None

    pages = run(HttpOperator, endpoint="/first", method="GET", deferrable=True, pagination_function=following)
    assert [json.loads(page)["path"] for page in pages.value] == ["/first", "/second"]
    bad = run(HttpOperator, endpoint="/status/500", method="GET", deferrable=True)
    assert bad.state == "failed"
    assert "500" in bad.reason


def test_waiting_for_an_answer_in_the_triggerer(run: Any, server: ThreadingHTTPServer) -> None:
    assert run(HttpSensor, endpoint="/later", deferrable=True, poke_interval=0.01).state == "success"
    assert "500" in run(HttpSensor, endpoint="/status/500", deferrable=True).reason
    answers = iter([False, False, True])
    ended = run(HttpSensor, endpoint="/a", deferrable=True, poke_interval=0.01, response_check=lambda _: next(answers))
    assert ended.state == "success"
