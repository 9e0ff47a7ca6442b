"""News of what happens, over a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from tests.e2e import seed
from tests.unit.server.ui.conftest import Screens

from tradewind.wire.states import DagRunState


@contextmanager
def stream(screens: Screens, topics: str, last: str | None = None) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", screens.world.port, timeout=15)
    headers = screens.headers | ({"Last-Event-ID": last} if last else {})
    connection.request("GET", f"/ui/stream?topics={topics}", None, headers)
    answer = connection.getresponse()
    assert answer.status == 200
    try:
        yield answer
    finally:
        connection.close()


def event(answer: HTTPResponse) -> tuple[str, Any, str | None]:
    """The next event: its kind, data and number."""
    kind, data, number = "", "", None
    while True:
        line = answer.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            data = line[6:]
        elif line.startswith("id: "):
            number = line[4:]
        elif not line and kind:
            return kind, json.loads(data), number


def begin(screens: Screens, dag_id: str = "small") -> str:
    """A run that is queued from now; its id."""
    with screens.store.read() as tx:
        version = tx.version_newest(dag_id)
    assert version is not None
    run = seed._run(dag_id, version.version_id, 50, DagRunState.QUEUED)
    with screens.store.begin() as tx:
        tx.run_insert(run)
        tx.ring("changes")
    return run.run_id


def test_a_run_that_begins_is_told_to_who_looks_at_its_dag(screens: Screens) -> None:
    with stream(screens, "home,dag:small") as answer:
        assert event(answer)[0] == "hello"
        _settle(screens, answer)
        run_id = begin(screens)
        kind, data, number = event(answer)
    assert kind == "news"
    assert [run["run_id"] for run in data["runs"]] == [run_id]
    assert number is not None


def test_who_comes_back_gets_what_was_missed(screens: Screens) -> None:
    with stream(screens, "home") as first:
        _, _, number = event(first)
        _settle(screens, first)
        with stream(screens, "home") as second:
            event(second)
            run_id = begin(screens)
            assert event(second)[0] == "news"
            with stream(screens, "dag:small", number) as again:
                assert event(again)[0] == "hello"
                kind, data, _ = event(again)
                assert (kind, data["runs"][-1]["run_id"]) == ("news", run_id)


def test_who_comes_back_to_another_server_reads_anew(screens: Screens) -> None:
    with stream(screens, "home", "other-7") as answer:
        assert event(answer)[0] == "hello"
        assert event(answer)[0] == "reset"


def test_the_server_stops_while_somebody_listens(screens: Screens) -> None:
    # The fixture stops the server at its end; it must not wait for the stream.
    with stream(screens, "home") as answer:
        event(answer)


def _settle(screens: Screens, answer: HTTPResponse) -> None:
    """Wait until the hub has looked for the first time: it tells what changed since then."""
    with screens.store.begin() as tx:
        tx.ring("changes")
    assert event(answer)[0] == "news"
