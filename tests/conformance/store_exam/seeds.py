"""Small worlds for the exam of stores: a DAG, its runs, their task instances brought to a state by legal changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tradewind.kernel.ids import uuid7
from tradewind.ports.rows import ComponentRow, DagRow, RunRow, TaskRow, VersionRow
from tradewind.ports.store import Store, TaskMove, Transaction
from tradewind.wire.execution import XComEntry, XComValue
from tradewind.wire.states import DagRunState, DagRunTriggeredBy, DagRunType, TaskInstanceState

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""Where the exam's clock begins."""


class Boom(Exception):
    """Ends a transaction badly."""


@contextmanager
def undone(store: Store) -> Iterator[Transaction]:
    """A transaction that fails at the end of its block."""
    with pytest.raises(Boom), store.begin() as tx:  # noqa: PT012 # the block is the caller's
        yield tx
        raise Boom


def new_id() -> str:
    return str(uuid7())


def component_row(kind: str, name: str, at: datetime, **fields: Any) -> ComponentRow:
    facts: dict[str, Any] = {"id": new_id(), "hostname": "host", "pid": 7, "started_at": at, "heartbeat_at": at}
    return ComponentRow(kind=kind, name=name, **{**facts, **fields})


def put_dag(tx: Transaction, dag_id: str = "sales", **fields: Any) -> DagRow:
    """A published DAG with its first version."""
    newest = tx.version_newest(dag_id)
    version = VersionRow(
        version_id=new_id(),
        dag_id=dag_id,
        number=newest.number + 1 if newest else 1,
        hash=new_id(),
        bundle="local",
        bundle_version="b1",
        file=f"{dag_id}.py",
        document=b"{}",
        source="# source",
        created_at=START,
    )
    facts: dict[str, Any] = {"bundle": "local", "file": f"{dag_id}.py", "version_id": version.version_id}
    row = DagRow(dag_id=dag_id, **{**facts, **fields})
    tx.dag_put(row)
    tx.version_insert(version)
    return row


def run_row(dag: DagRow, run_id: str = "r1", **fields: Any) -> RunRow:
    facts: dict[str, Any] = {
        "run_key": new_id(),
        "run_type": DagRunType.MANUAL,
        "triggered_by": DagRunTriggeredBy.CLI,
        "state": DagRunState.QUEUED,
        "run_after": START,
        "queued_at": START,
    }
    return RunRow(dag_id=dag.dag_id, version_id=dag.version_id, run_id=run_id, **{**facts, **fields})


def put_run(tx: Transaction, dag: DagRow, run_id: str = "r1", **fields: Any) -> RunRow:
    row = run_row(dag, run_id, **fields)
    assert tx.run_insert(row) is None
    return row


def start_run(tx: Transaction, dag: DagRow, owner: str, run_id: str = "r1", **fields: Any) -> RunRow:
    """A running run of `owner`; no other run may be queued."""
    queued = put_run(tx, dag, run_id, **fields)
    (row,) = tx.run_start_queued(owner, max(queued.run_after, START), 10)
    assert row.run_key == queued.run_key
    return row


def task_row(run: RunRow, task_id: str, map_path: str = "", **fields: Any) -> TaskRow:
    return TaskRow(
        ti_id=new_id(),
        run_key=run.run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=task_id,
        map_path=map_path,
        version_id=run.version_id,
        **fields,
    )


def put_tasks(tx: Transaction, run: RunRow, *places: str | tuple[str, str], **fields: Any) -> list[TaskRow]:
    """Instances by task id, or (task id, map path)."""
    rows = [task_row(run, *((place,) if isinstance(place, str) else place), **fields) for place in places]
    tx.task_insert(rows)
    return rows


def queue(tx: Transaction, rows: Sequence[TaskRow], at: datetime = START) -> dict[str, str]:
    """Bring them to queued, each with its next try and its slots held; ti_id → token."""
    tokens = {row.ti_id: new_id().replace("-", "") for row in rows}
    moves = [
        TaskMove(
            row.ti_id,
            values={
                "attempt_token": tokens[row.ti_id],
                "try_number": row.try_number + 1,
                "queued_at": at,
                "scheduled_at": at,
                "holds_slot": True,
                "executor": None,
            },
        )
        for row in rows
    ]
    assert len(tx.task_move("queue", moves, at)) == len(rows)
    return tokens


def start(tx: Transaction, rows: Sequence[TaskRow], agent: str, at: datetime = START) -> dict[str, str]:
    """Bring them to running in the hands of `agent`; ti_id → token."""
    tokens = queue(tx, rows, at)
    values = {"started_at": at, "agent": agent, "hostname": "host", "pid": 42}
    moves = [TaskMove(ti_id, token=token, values=values) for ti_id, token in tokens.items()]
    assert len(tx.task_move("start", moves, at)) == len(rows)
    return tokens


def one(tx: Transaction, row: TaskRow) -> TaskRow:
    """The row as it is now."""
    (found,) = tx.task_get_many([row.ti_id])
    return found


def state(tx: Transaction, row: TaskRow) -> TaskInstanceState | None:
    return one(tx, row).state


def entry(key: str, data: bytes, length: int | None = None) -> XComEntry:
    return XComEntry(key, XComValue(data=data, size=len(data), length=length))
