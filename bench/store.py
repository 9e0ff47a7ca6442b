"""What one transaction of each kind costs on a store: `python -m bench.store URL` prints JSON, medians in microseconds.

The schema at URL is dropped and made anew. Shapes: `report` is what the execution face does with the reports of an
agent, `queue` what the scheduler does with what became ready; each with 1 and with 100 task instances. `commit` is the
floor: one row changed.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tradewind.kernel.ids import uuid7
from tradewind.ports.rows import DagRow, RunRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.store import open_store, schema
from tradewind.store.sql import SqlStore
from tradewind.wire.execution import XComEntry, XComValue
from tradewind.wire.inbox import InstanceReported
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType, TaskInstanceState

OWNER = "bench"
ROUNDS = 60
_slots = itertools.count()


def main(url: str) -> dict[str, float]:
    """Figures by name."""
    schema.reset(url)
    store = open_store(url)
    run = _running_run(store)
    figures = {"commit": _median([_timed(lambda: _commit(store)) for _ in range(ROUNDS)])}
    for size in (1, 100):
        queued, started, reported, taken = [], [], [], []
        for _ in range(ROUNDS):
            rows = _instances(store, run, size)
            tokens = {row.ti_id: uuid7().hex for row in rows}
            queued.append(_timed(lambda: _queue(store, tokens)))  # noqa: B023 # called at once
            started.append(_timed(lambda: _start(store, tokens)))  # noqa: B023
            reported.append(_timed(lambda: _report(store, run, tokens)))  # noqa: B023
            taken.append(_timed(lambda: _take(store, run, tokens)))  # noqa: B023
        figures |= {
            f"queue_{size}": _median(queued),
            f"start_{size}": _median(started),
            f"report_{size}": _median(reported),
            f"take_{size}": _median(taken),
        }
    store.close()
    return figures


def _running_run(store: SqlStore) -> RunRow:
    now = datetime.now(UTC)
    version = str(uuid7())
    with store.begin() as tx:
        tx.dag_put(DagRow(dag_id="bench", bundle="b", file="f.py", version_id=version))
        tx.run_insert(
            RunRow(
                run_key=str(uuid7()),
                dag_id="bench",
                run_id="r1",
                version_id=version,
                run_type=DagRunType.MANUAL,
                triggered_by=DagRunTriggeredBy.CLI,
                state=DagRunState.QUEUED,
                run_after=now,
            )
        )
        return tx.run_start_queued(OWNER, now, 1)[0]


def _instances(store: SqlStore, run: RunRow, count: int) -> list[TaskRow]:
    rows = [
        TaskRow(
            ti_id=str(uuid7()),
            run_key=run.run_key,
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=uuid7().hex,
            version_id=run.version_id,
        )
        for _ in range(count)
    ]
    with store.begin() as tx:
        tx.task_insert(rows)
    return rows


def _commit(store: SqlStore) -> None:
    with store.begin() as tx:
        tx.pool_put("bench", next(_slots))


def _queue(store: SqlStore, tokens: dict[str, str]) -> None:
    with store.begin() as tx:
        now = tx.now()
        tx.pool_lock(["default_pool"])
        moves = [
            TaskMove(
                ti_id,
                values={
                    "attempt_token": token,
                    "try_number": 1,
                    "queued_at": now,
                    "scheduled_at": now,
                    "holds_slot": True,
                    "executor": None,
                },
            )
            for ti_id, token in tokens.items()
        ]
        assert len(tx.task_move("queue", moves, now)) == len(tokens)
        tx.pool_use({"default_pool": len(tokens)})


def _start(store: SqlStore, tokens: dict[str, str]) -> None:
    with store.begin() as tx:
        now = tx.now()
        values = {"started_at": now, "agent": "agent", "hostname": "host", "pid": 1}
        rows = tx.task_by_token(tokens.values())
        moves = [TaskMove(row.ti_id, token=token, values=values) for token, row in rows.items()]
        assert len(tx.task_move("start", moves, now)) == len(tokens)


def _report(store: SqlStore, run: RunRow, tokens: dict[str, str]) -> None:
    value = XComEntry("return_value", XComValue(data=b'{"rows": 10}', size=12))
    with store.begin() as tx:
        now = tx.now()
        rows = tx.task_by_token(tokens.values())
        values = {"ended_at": now, "duration_seconds": 0.5, "xcom_length": None, "skips": ()}
        moves = [TaskMove(row.ti_id, token=token, values=values) for token, row in rows.items()]
        assert len(tx.task_move("succeed", moves, now)) == len(tokens)
        tx.xcom_put_many([(row, [value]) for row in rows.values()], now)
        tx.inbox_put(
            [
                (run.run_key, InstanceReported(ti_id=row.ti_id, task_id=row.task_id, state=TaskInstanceState.SUCCESS))
                for row in rows.values()
            ]
        )


def _take(store: SqlStore, run: RunRow, tokens: dict[str, str]) -> None:
    with store.begin() as tx:
        assert len(tx.inbox_take(OWNER, 500)) == len(tokens)
        assert tx.run_hold(OWNER, [run.run_key])
        tx.task_release(list(tokens))
        tx.pool_lock(["default_pool"])
        tx.pool_use({"default_pool": -len(tokens)})
        tx.ring("limits")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1e6)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1]), indent=2))
