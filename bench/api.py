"""The public API under load: lists over 10,000 DAGs and a million task instances, first pages and deep ones.

    python -m bench.api [--dags 10000] [--runs 100] [--tasks 100] [--seconds 5] [--connections 8]

A database of its own on PostgreSQL is filled (100 of the DAGs have runs), the server of the product is started in a
process of its own, and connections that stay open ask as fast as they are answered. JSON goes to standard output.

Expected on two cores (shared with the clients): `GET dags?limit=50` and `dagRuns?limit=50` in 8 ms or less for the
median of a single connection; a page from a cursor in the middle of a list costs what the first costs, within a fifth.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
from tests.postgres import temporary_database
from tests.unit.server.public.world import World, task

from tradewind.domain.timetables import parse_schedule
from tradewind.ports.rows import RunRow
from tradewind.server.serving import ApiServer
from tradewind.store import schema
from tradewind.store.dialects.postgresql import conninfo_of_url
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

_BUSY_DAGS = 100
_START = datetime(2024, 1, 1, tzinfo=UTC)


def fill(world: World, url: str, dags: int, runs: int, tasks: int) -> None:
    """`dags` DAGs, of which a hundred have `runs` runs of `tasks` instances each."""
    definition = [task(f"t{n:03}") for n in range(tasks)]
    schedule = parse_schedule("@daily")
    versions: dict[str, str] = {}
    for n in range(dags):
        name = f"dag_{n:05}"
        busy = n < _BUSY_DAGS
        versions[name] = world.publish(
            name, *(definition if busy else definition[:5]), schedule=schedule, row={"tags": ("bench",)}
        )
    rows = [_run(world, f"dag_{n:05}", versions[f"dag_{n:05}"], day) for day in range(runs) for n in range(_BUSY_DAGS)]
    with world.store.begin() as tx:
        for start in range(0, len(rows), 1000):
            tx.run_insert_many(rows[start : start + 1000])
    with psycopg.connect(conninfo_of_url(url), autocommit=True) as connection:
        connection.execute(
            """INSERT INTO task_instance (ti_id, run_key, dag_id, run_id, task_id, map_path, state, try_number,
                   max_tries, infrastructure_tries, holds_slot, pool, pool_slots, queue, priority_weight, operator,
                   started_at, ended_at, duration_seconds, version_id, updated_at)
               SELECT gen_random_uuid(), r.run_key, r.dag_id, r.run_id, 't' || lpad(n::text, 3, '0'), '', 'success',
                   1, 0, 0, false, 'default_pool', 1, 'default', 1, '@task', r.run_after, r.run_after, 1, r.version_id,
                   r.run_after
               FROM dag_run r CROSS JOIN generate_series(0, %s) n""",
            (tasks - 1,),
        )
        connection.execute("VACUUM ANALYZE")


def _run(world: World, dag_id: str, version_id: str, day: int) -> RunRow:
    date = _START + timedelta(days=day)
    return RunRow(
        run_key=world.new_id(),
        dag_id=dag_id,
        run_id=f"scheduled__{date.isoformat()}",
        version_id=version_id,
        run_type=DagRunType.SCHEDULED,
        triggered_by=DagRunTriggeredBy.TIMETABLE,
        state=DagRunState.QUEUED,
        run_after=date,
        logical_date=date,
    )


def serve(url: str, home: str, ready: Any) -> None:
    """The server, until it is killed."""
    import socket

    world = World(Path(home), url)
    listener = socket.create_server(("127.0.0.1", 0))
    server = ApiServer(world.api, [listener], world.close)
    server.start()
    server.wait_ready(60)
    ready.send((listener.getsockname()[1], world.token))
    threading.Event().wait()


def measure(port: int, token: str, path: str, connections: int, seconds: float) -> dict[str, float]:
    """Latencies in ms, and requests per second."""
    times: list[float] = []
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        own = []
        while time.monotonic() < end:
            began = time.perf_counter()
            connection.request("GET", f"/api/v2{path}", headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            response.read()
            assert response.status == 200, (path, response.status)
            own.append((time.perf_counter() - began) * 1000)
        connection.close()
        with lock:
            times.extend(own)

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return {
        "best_ms": round(times[0], 2),
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[int(len(times) * 0.95)], 2),
        "per_second": round(len(times) / seconds, 1),
    }


def middle(port: int, token: str, path: str, pages: int) -> str:
    """The cursor after so many pages."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    cursor = ""
    for _ in range(pages):
        connection.request("GET", f"/api/v2{path}&cursor={cursor}", headers={"Authorization": f"Bearer {token}"})
        cursor = json.loads(connection.getresponse().read())["next_cursor"]
    return cursor


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("dags", 10_000), ("runs", 100), ("tasks", 100), ("connections", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with temporary_database() as url, tempfile.TemporaryDirectory() as home:
        schema.migrate(url)
        world = World(Path(home), url)
        fill(world, url, given.dags, given.runs, given.tasks)
        mine, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("spawn").Process(target=serve, args=(url, home, theirs), daemon=True)
        child.start()
        port, token = mine.recv()
        runs = "/dags/~/dagRuns?limit=50&order_by=-run_after"
        tasks = "/dags/~/dagRuns/~/taskInstances?limit=50&order_by=id"
        last = f"scheduled__{(_START + timedelta(days=given.runs - 1)).isoformat()}".replace("+", "%2B")
        paths = {
            "dags": "/dags?limit=50",
            "dags, page 150": "/dags?limit=50&offset=7450",
            "runs of a DAG": "/dags/dag_00005/dagRuns?limit=50",
            "runs of all DAGs": runs,
            "runs of all DAGs, cursor, first": f"{runs}&cursor=",
            "runs of all DAGs, cursor, page 100": f"{runs}&cursor={middle(port, token, runs, 100)}",
            "instances of a run": f"/dags/dag_00005/dagRuns/{last}/taskInstances?limit=50",
            "instances of all, cursor, first": f"{tasks}&cursor=",
            "instances of all, cursor, page 200": f"{tasks}&cursor={middle(port, token, tasks, 200)}",
        }
        results = {}
        for name, path in paths.items():
            one = measure(port, token, path, 1, given.seconds / 2)
            results[name] = {
                "alone": one,
                f"{given.connections} connections": measure(port, token, path, given.connections, given.seconds),
            }
            print(name, results[name], file=sys.stderr, flush=True)
        child.terminate()
        child.join(10)
        world.close()
    print(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
