from __future__ import annotations

import socket
import threading
from pathlib import Path

import msgspec
import pytest
from tests.unit.server.serving import CREDENTIAL, Client, World, make_api, running

from tradewind.kernel.clock import SystemClock
from tradewind.server.execution import DeskPool, ExchangeFace
from tradewind.store.memory import MemoryStore
from tradewind.wire.errors import LimitExceeded, NotFound, TradewindError, Unavailable
from tradewind.wire.execution import (
    VERSION,
    VERSION_HEADER,
    Done,
    Exchange,
    Heartbeat,
    Hello,
    Refused,
    Reply,
    Stops,
    decode_replies,
    encode_exchange,
)

HELLO = Hello(hostname="host", pid=1, slots=2, executor="local")


def body(*messages: Hello | Heartbeat, incarnation: str = "i1", agent: str = "host:0") -> bytes:
    return encode_exchange(Exchange(agent=agent, incarnation=incarnation, sequence=1, messages=list(messages)))


def test_an_exchange_is_answered(world: World) -> None:
    answer = world.client.exchange(body(HELLO, Heartbeat(())))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/msgpack"
    assert decode_replies(answer.body) == [Done(), Stops({})]
    with world.store.read() as tx:
        assert [row.name for row in tx.component_list("agent")] == ["host:0"]


def test_one_connection_serves_many_exchanges_and_refusals(world: World) -> None:
    world.client.exchange(body(HELLO))
    before = world.client.connection.sock
    for _ in range(50):
        assert world.client.exchange(body(Heartbeat(()))).status == 200
        assert world.client.exchange(b"rubbish").status == 422
        assert world.client.exchange(body(HELLO), Authorization="Bearer wrong").status == 401
    assert world.client.connection.sock is before


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic x", f"bearer {CREDENTIAL}", CREDENTIAL])
def test_without_the_credential_nothing_is_answered(world: World, authorization: str) -> None:
    answer = world.client.exchange(body(HELLO), Authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "execution.key_file" in answer.json()["detail"]


@pytest.mark.parametrize("version", ["2999-01-01", "2020-01-01", "nonsense"])
def test_another_version_is_refused_and_both_are_named(world: World, version: str) -> None:
    answer = world.client.exchange(body(HELLO), **{VERSION_HEADER: version})
    assert answer.status == 400
    assert version in answer.json()["detail"]
    assert VERSION in answer.json()["detail"]


def test_no_version_is_refused(world: World) -> None:
    answer = world.client.ask("POST", "/execution/exchange", body(HELLO), Authorization=f"Bearer {CREDENTIAL}")
    assert answer.status == 400
    assert "version none" in answer.json()["detail"]


def test_other_methods_are_refused(world: World) -> None:
    assert world.client.ask("GET", "/execution/exchange").status == 405


@pytest.mark.parametrize("content", [b"", b"\x00", b"{}", msgspec.msgpack.encode({"agent": 1})])
def test_what_is_no_exchange_is_refused(world: World, content: bytes) -> None:
    assert world.client.exchange(content).status == 422


class Desk:
    """Raises or answers what it is told."""

    def __init__(self, said: Exception | list[Reply]) -> None:
        self.said = said

    def exchange(self, exchange: Exchange) -> list[Reply]:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("locked"), 503),
        (LimitExceeded("too big"), 413),
        (NotFound("no version"), 422),
        (TradewindError("odd"), 422),
        (ValueError("a bug"), 500),
    ],
)
def test_what_the_desk_raises(tmp_path: Path, error: Exception, status: int) -> None:
    with running(tmp_path, make_desk=lambda: Desk(error)) as world:
        answer = world.client.exchange(body(HELLO))
        assert answer.status == status
        assert (answer.headers.get("retry-after") == "1") == (status == 503)
        if status == 500:
            assert "a bug" not in answer.body.decode()
        assert world.client.ask("GET", "/health/live").status == 200


def test_a_body_that_is_too_long_is_refused_by_its_head_and_by_its_length(tmp_path: Path) -> None:
    store, clock = MemoryStore(SystemClock()), SystemClock()
    api, _ = make_api(tmp_path, store, clock)
    desks = DeskPool(lambda: Desk([Done()]), 1)
    api._exchange = ExchangeFace(desks, CREDENTIAL, body_bytes_max=1000)
    with running(tmp_path, api=api) as world:
        assert world.client.exchange(body(HELLO)).status == 200
        answer = world.client.exchange(b"x" * 1001)
        assert answer.status == 413
        assert "1000" in answer.json()["detail"]
        chunked = Client(world.port)
        chunked.connection.request(
            "POST",
            "/execution/exchange",
            iter([b"x" * 600, b"x" * 600]),
            {"Authorization": f"Bearer {CREDENTIAL}", VERSION_HEADER: VERSION},
            encode_chunked=True,
        )
        assert chunked.connection.getresponse().status == 413
        chunked.close()


def test_a_slow_exchange_is_given_up_and_the_next_is_answered(tmp_path: Path) -> None:
    going_on = threading.Event()

    class Slow(Desk):
        def exchange(self, exchange: Exchange) -> list[Reply]:
            assert going_on.wait(30)
            return [Done()]

    api, _ = make_api(tmp_path, MemoryStore(SystemClock()), SystemClock())
    desks = DeskPool(lambda: Slow([]), 1, waiting_max=1)
    api._exchange = ExchangeFace(desks, CREDENTIAL, request_seconds_max=0.2)
    with running(tmp_path, api=api) as world:
        for _ in range(2):
            answer = world.client.exchange(body(HELLO))
            assert answer.status == 503
            assert "0.2 s" in answer.json()["detail"]
        assert "2 exchanges are under way" in world.client.exchange(body(HELLO)).json()["detail"]
        assert world.client.ask("GET", "/health/live").status == 200
        going_on.set()
    desks.close()


def test_a_body_that_never_ends_does_not_hold_the_server(tmp_path: Path) -> None:
    api, _ = make_api(tmp_path, MemoryStore(SystemClock()), SystemClock())
    api._exchange = ExchangeFace(DeskPool(lambda: Desk([Done()]), 1), CREDENTIAL, request_seconds_max=0.2)
    with running(tmp_path, api=api) as world, socket.create_connection(("127.0.0.1", world.port), 30) as half:
        head = f"POST /execution/exchange HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CREDENTIAL}\r\n"
        half.sendall(f"{head}{VERSION_HEADER}: {VERSION}\r\nContent-Length: 100\r\n\r\nhalf".encode())
        assert half.recv(1000).startswith(b"HTTP/1.1 503")


def test_agents_are_answered_side_by_side(tmp_path: Path) -> None:
    meeting = threading.Barrier(3)
    made: list[int] = []

    class Meeting(Desk):
        def __init__(self) -> None:
            super().__init__([Done()])
            made.append(threading.get_ident())

        def exchange(self, exchange: Exchange) -> list[Reply]:
            meeting.wait(30)
            return [Refused("X", exchange.agent)]

    with running(tmp_path, make_desk=Meeting) as world:
        answers: dict[str, Reply] = {}

        def ask(agent: str) -> None:
            client = Client(world.port)
            answers[agent] = decode_replies(client.exchange(body(HELLO, agent=agent)).body)[0]
            client.close()

        threads = [threading.Thread(target=ask, args=(f"host:{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert answers == {f"host:{number}": Refused("X", f"host:{number}") for number in range(3)}
        assert len(made) == len(set(made)) == 3, "one desk for each thread"
