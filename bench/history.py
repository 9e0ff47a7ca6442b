"""Whether the cost of live work depends on the length of the history: `python -m bench.history URL [ROWS...]` prints
JSON, medians in microseconds by number of task instances that are over.

The schema at URL is dropped and made anew. What is asked: what schedulers ask in every step and every few seconds, the
first page of lists, and one piece of retention.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tradewind.commands.retention import Policy, prune_runs
from tradewind.kernel.ids import uuid7
from tradewind.ports.rows import ComponentRow, DagRow, RunRow
from tradewind.ports.store import Transaction
from tradewind.store import open_store, schema
from tradewind.store.sql import SqlStore
from tradewind.wire.inbox import RunNudged
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType

SIZES = (10_000, 100_000, 1_000_000)
TASKS_PER_RUN = 10
DAGS = 100
ROUNDS = 40
OWNER = "bench"
LIVE_RUNS = 20


def main(url: str, sizes: tuple[int, ...] = SIZES) -> dict[str, dict[str, float]]:
    """Figures by size, then by name."""
    schema.reset(url)
    store = open_store(url)
    now = datetime.now(UTC)
    version = _dags(store, now)
    live = _live_runs(store, version, now)
    filled, figures = 0, {}
    for size in sizes:
        _fill(store, url, filled, size, version, now)
        filled = size
        figures[str(size)] = {name: _median(store, ask) for name, ask in _asks(live, now).items()}
    store.close()
    return figures


def _asks(live: list[RunRow], now: datetime) -> dict[str, Callable[[Transaction], object]]:
    key = live[0].run_key
    return {
        "start queued runs": lambda tx: tx.run_start_queued(OWNER, now, 100),
        "DAGs that are due": lambda tx: (tx.dag_claim_due(now, 100), tx.dag_next_due()),
        "news of runs in hand": lambda tx: (
            tx.inbox_put([(key, RunNudged())]),
            tx.inbox_open(OWNER, 100),
        ),
        "runs to take over": lambda tx: tx.run_take_over(OWNER, 86_400.0, 100),
        "orphans": lambda tx: tx.task_list_orphaned(),
        "deadlines that are due": lambda tx: (tx.deadline_next_due(), tx.deadline_claim(now, 100)),
        "dead lines of the inbox": lambda tx: tx.inbox_prune(100),
        "a run ends": lambda tx: _end_and_requeue(tx, live[1], now),
        "the newest 100 runs": lambda tx: tx.list_runs(limit=100),
        "the newest 100 runs of a DAG": lambda tx: tx.list_runs(dag_id="bench_1", limit=100),
        "what runs": lambda tx: tx.list_running_tasks(),
        "one piece of retention, nothing to do": lambda tx: prune_runs(
            tx, "bench_1", Policy(age=timedelta(days=10_000)), now
        ),
    }


def _end_and_requeue(tx: Transaction, run: RunRow, now: datetime) -> None:
    found = tx.run_get(run.run_key)
    assert found is not None
    tx.run_move("succeed", run.run_key, owner=OWNER, epoch=found.epoch, now=now)
    tx.run_move("requeue", run.run_key, now=now)
    tx.run_start_queued(OWNER, now, 10)


def _median(store: SqlStore, ask: Callable[[Transaction], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with store.begin() as tx:
            ask(tx)
        times.append((time.perf_counter() - began) * 1e6)
    return round(statistics.median(times), 1)


def _dags(store: SqlStore, now: datetime) -> str:
    version = str(uuid7())
    with store.begin() as tx:
        for number in range(DAGS):
            later = now + timedelta(hours=1)
            tx.dag_put(
                DagRow(dag_id=f"bench_{number}", bundle="b", file="f.py", version_id=version, next_run_after=later)
            )
    return version


def _live_runs(store: SqlStore, version: str, now: datetime) -> list[RunRow]:
    with store.begin() as tx:
        alive = now + timedelta(days=1)
        tx.component_start(
            ComponentRow(
                kind="scheduler", id=OWNER, name=OWNER, hostname="h", pid=1, started_at=now, heartbeat_at=alive
            )
        )
        for number in range(LIVE_RUNS):
            tx.run_insert(
                RunRow(
                    run_key=str(uuid7()),
                    dag_id=f"bench_{number}",
                    run_id="live",
                    version_id=version,
                    run_type=DagRunType.MANUAL,
                    triggered_by=DagRunTriggeredBy.CLI,
                    state=DagRunState.QUEUED,
                    run_after=now,
                )
            )
        return tx.run_start_queued(OWNER, now, LIVE_RUNS)


def _fill(store: SqlStore, url: str, done: int, size: int, version: str, now: datetime) -> None:
    """History from task instance number `done` to `size`, written by the database itself."""
    lite = url.startswith("sqlite")
    series = (
        "(WITH RECURSIVE c(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM c WHERE n < :last) SELECT n FROM c)"
        if lite
        else "generate_series(:first::bigint, :last::bigint)"
    )

    def key(head: str, number: str) -> str:
        text = f"'{head}-0000-7000-8000-'"
        return f"printf('%s%012x', {text}, {number})" if lite else f"({text} || lpad(to_hex({number}), 12, '0'))::uuid"

    def at(number: str) -> str:
        micros = int((now - timedelta(days=400)).timestamp() * 1e6)
        return f"{micros} + {number} * 1000000" if lite else f"to_timestamp({micros / 1e6} + {number})"

    run = f"(s.n / {TASKS_PER_RUN})"
    conf = "'{}'" if lite else "'{}'::json"
    vid = f"'{version}'" if lite else f"'{version}'::uuid"
    runs = f"""INSERT INTO dag_run (run_key, dag_id, run_id, version_id, run_type, triggered_by, state, run_after,
                   logical_date, queued_at, started_at, ended_at, conf, epoch, clear_number)
               SELECT {key("01000000", "s.n")}, 'bench_' || (s.n % {DAGS}), 'r' || s.n, {vid}, 'scheduled', 'timetable',
                   'success', {at("s.n")}, {at("s.n")}, {at("s.n")}, {at("s.n")}, {at("s.n")}, {conf}, 1, 0
               FROM {series} AS s{"" if lite else "(n)"}"""
    names = "[]"
    tasks = f"""INSERT INTO task_instance (ti_id, run_key, dag_id, run_id, task_id, map_path, state, try_number,
                    max_tries, infrastructure_tries, holds_slot, pool, pool_slots, queue, priority_weight, operator,
                    skips, started_at, ended_at, duration_seconds, version_id)
                SELECT {key("02000000", "s.n")}, {key("01000000", run)}, 'bench_' || ({run} % {DAGS}), 'r' || {run},
                    't' || (s.n % {TASKS_PER_RUN}), '', 'success', 1, 0, 0, false, 'default_pool', 1, 'default', 1,
                    '@task', '{names}', {at("s.n")}, {at("s.n")}, 1.0, {vid}
                FROM {series} AS s{"" if lite else "(n)"}"""
    session = store.dialect.begin()
    parts = {
        runs: {"first": done // TASKS_PER_RUN, "last": size // TASKS_PER_RUN - 1},
        tasks: {"first": done, "last": size - 1},
    }
    for sql, params in parts.items():
        session.write(store.dialect.prepare(sql), params)
    session.commit(frozenset())
    session = store.dialect.begin()
    session.write("ANALYZE", {})
    session.commit(frozenset())


if __name__ == "__main__":
    given = tuple(int(word) for word in sys.argv[2:]) or SIZES
    print(json.dumps(main(sys.argv[1], given), indent=1))
