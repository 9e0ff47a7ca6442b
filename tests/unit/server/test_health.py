from __future__ import annotations

from pathlib import Path

from tests.unit.server.serving import World, beat, running

from tradewind.kernel.clock import SystemClock, VirtualClock
from tradewind.server.presence import KIND
from tradewind.store.memory import MemoryStore
from tradewind.wire.errors import Unavailable

ALL = ("scheduler", "dag-processor", "agent")


class AwayStore(MemoryStore):
    """A database that can go away."""

    away = False

    def read(self):
        if self.away:
            raise Unavailable("the database is away")
        return super().read()


def test_a_server_alone_lives_and_is_not_ready(world: World) -> None:
    assert world.client.ask("GET", "/health/live").status == 200
    answer = world.client.ask("GET", "/health/ready")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    said = answer.json()
    assert said["status"] == "unhealthy"
    assert said["database"] == {"status": "healthy"}
    assert set(said["components"]) == set(ALL)


def test_it_is_ready_while_everybody_has_a_fresh_heartbeat(tmp_path: Path) -> None:
    clock = VirtualClock()
    store = MemoryStore(clock)
    with running(tmp_path, store=store, clock=clock) as world:
        beat(store, clock, *ALL)
        answer = world.client.ask("GET", "/health/ready")
        assert answer.status == 200
        assert answer.json()["components"]["agent"] == {
            "status": "healthy",
            "latest_heartbeat": "2024-01-01T00:00:00Z",
            "name": "host:agent",
            "alive": 1,
        }
        clock.advance(11)
        components = world.client.ask("GET", "/health/ready").json()["components"]
        assert {kind: found["status"] for kind, found in components.items()} == {
            "scheduler": "unhealthy",
            "dag-processor": "healthy",  # its lease is longer
            "agent": "unhealthy",
        }


def test_without_database_it_lives_and_says_so(tmp_path: Path) -> None:
    store = AwayStore(SystemClock())
    with running(tmp_path, store=store) as world:
        store.away = True
        assert world.client.ask("GET", "/health/live").status == 200
        answer = world.client.ask("GET", "/health/ready")
        assert answer.status == 503
        assert answer.json()["database"] == {"status": "unhealthy", "problem": "the database is away"}
        health = world.client.ask("GET", "/api/v2/monitor/health")
        assert health.status == 200
        assert health.json()["metadatabase"] == {"status": "unhealthy"}


def test_the_public_health_has_the_shape_of_airflows(tmp_path: Path) -> None:
    clock = VirtualClock()
    store = MemoryStore(clock)
    with running(tmp_path, store=store, clock=clock) as world:
        beat(store, clock, "scheduler")
        assert world.client.ask("GET", "/api/v2/monitor/health").json() == {
            "metadatabase": {"status": "healthy"},
            "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2024-01-01T00:00:00+00:00"},
            "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
            "dag_processor": {"status": None, "latest_dag_processor_heartbeat": None},
        }
        version = world.client.ask("GET", "/api/v2/version").json()
        assert set(version) == {"version", "git_version"}


def test_the_server_is_a_component_itself_until_it_stops(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    with store.listen(["present"]) as bell:
        store.before_commit = lambda: store._doorbell.ring(["present"])
        with running(tmp_path, store=store):
            assert bell.wait(30)
            store.before_commit = None
            with store.begin() as tx:
                (row,) = tx.component_list(KIND)
            assert row.name.endswith(":8080")
    with store.read() as tx:
        assert tx.component_list(KIND) == []
