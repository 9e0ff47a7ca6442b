"""One task instance: what a person asks about it, in one answer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from tradewind.kernel.log import get_logger
from tradewind.ports.rows import AttemptRow, RunRow, TaskRow, XComRow
from tradewind.ports.ui_reads import CODE_OF, UiTransaction
from tradewind.scheduler.reasons import why_task
from tradewind.wire.document import TaskDocument
from tradewind.wire.errors import NotFound, TradewindError

from .documents import Shape, Shapes
from .grid import run_row
from .home import milliseconds

_VALUE_BYTES_MAX = 64 << 10
_NEIGHBOURS_MAX = 50
_log = get_logger("ui")


def instance(
    tx: UiTransaction, shapes: Shapes, dag_id: str, run_id: str, task_id: str, map_path: str
) -> dict[str, Any]:
    """Everything about one instance: row, attempts, why, rendered fields, values, definition, neighbours.

    Raises:
        NotFound: there is no such run or instance.
    """
    run = run_row(tx, dag_id, run_id)
    row = tx.ui_task_find(dag_id, run_id, task_id, map_path)
    if row is None and not map_path:
        # Of a mapped task without an index: the instance that wants to be seen most.
        lines = tx.ui_tasks([run.run_key], task_id=task_id)
        worst = max(lines, key=lambda line: CODE_OF[line.state], default=None)
        row = None if worst is None else tx.ui_task_find(dag_id, run_id, task_id, worst.map_path)
    if row is None:
        raise NotFound(f"run {run_id!r} of DAG {dag_id!r} has no instance of {task_id!r} {map_path}".rstrip())
    shape = shapes.get(tx, row.version_id or run.version_id)
    task = shape.tasks.get(task_id)
    return {
        "instance": _told(row),
        "run": {"run_id": run.run_id, "state": run.state, "type": run.run_type, "key": run.run_key},
        "attempts": [_attempt(each) for each in tx.attempt_list(row.ti_id)],
        "why": _why(tx, run, row),
        "rendered": tx.get_rendered(row.ti_id),
        "xcoms": [_value(each) for each in tx.list_xcoms(row.ti_id)],
        "number": shape.number,
        "version": shape.version_id,
        "task": None if task is None else _definition(task),
        "near": _near(tx, shape, run, task_id),
        "count": sum(1 for _ in tx.ui_tasks([run.run_key], task_id=task_id, count=20_000)),
    }


def _told(row: TaskRow) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row, builtin_types=(datetime,))
    for secret in ("attempt_token", "agent"):
        told.pop(secret, None)
    return {name: milliseconds(value) if isinstance(value, datetime) else value for name, value in told.items()} | {
        "seconds": row.seconds
    }


def _attempt(row: AttemptRow) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row, builtin_types=(datetime,))
    told.pop("agent", None)
    return {name: milliseconds(value) if isinstance(value, datetime) else value for name, value in told.items()}


def _why(tx: UiTransaction, run: RunRow, row: TaskRow) -> str:
    try:
        return why_task(tx, run, row)
    except TradewindError as error:
        return str(error)
    except Exception as error:  # a sentence less is no reason to show nothing
        _log.error("why_failed", error=error, run=run.run_id, task=row.task_id)
        return row.reason or "nobody can say just now"


def _value(row: XComRow) -> dict[str, Any]:
    value: Any = None
    shown = row.data is not None and len(row.data) <= _VALUE_BYTES_MAX
    if row.data is not None and shown:
        try:
            value = json.loads(row.data)
        except ValueError:
            value = row.data.decode("utf-8", "replace")
    return {
        "key": row.key,
        "size": row.size,
        "length": row.length,
        "shown": shown,
        "value": value,
        "url": row.url,
        "at": None if row.at is None else milliseconds(row.at),
    }


def _definition(task: TaskDocument) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(task)
    return told


def _near(tx: UiTransaction, shape: Shape, run: RunRow, task_id: str) -> dict[str, Any]:
    """The tasks directly before and after, with their states in this run."""
    task = shape.tasks.get(task_id)
    before = list(task.upstream) if task is not None else []
    after = [each.task_id for each in shape.document.tasks if task_id in each.upstream]
    wanted = [*before, *after][: 2 * _NEIGHBOURS_MAX]
    codes = {cell.task_id: cell.code for cell in tx.ui_verdicts([run.run_key], wanted)} if wanted else {}
    return {
        "before": [[each, codes.get(each, 15)] for each in before[:_NEIGHBOURS_MAX]],
        "after": [[each, codes.get(each, 15)] for each in after[:_NEIGHBOURS_MAX]],
    }
