"""Grid, graph and times of one DAG, small: one byte per cell, edges as pairs of numbers, instants in columns."""

from __future__ import annotations

import base64
import threading
from typing import Any

from tradewind.kernel.clock import Clock
from tradewind.ports.rows import DagRow, RunRow
from tradewind.ports.ui_reads import CellLine, RunLine, TaskLine, UiTransaction
from tradewind.wire.errors import NotFound

from .dags import line_of
from .documents import Shape, Shapes
from .home import deadline

RUNS_MAX = 200
ABSENT, MORE_TRIES, SEVERAL = 0x0F, 0x10, 0x20
"""Of a cell: no instance; a bit for more than one try; a bit for more than one instance."""


def dag_row(tx: UiTransaction, dag_id: str) -> DagRow:
    """Raises `NotFound`."""
    dag = tx.dag_get(dag_id)
    if dag is None:
        raise NotFound(f"there is no DAG {dag_id!r}")
    return dag


def run_row(tx: UiTransaction, dag_id: str, run_id: str) -> RunRow:
    """Raises `NotFound`."""
    run = tx.run_find(dag_id, run_id)
    if run is None:
        raise NotFound(f"DAG {dag_id!r} has no run {run_id!r}")
    return run


class Columns:
    """Cells of runs that are over, kept for a few seconds: people open the same grid again and again.

    A mark in a run that is over does not change the run; whoever made one asks with `fresh`. Safe for several threads.

    Parameters:
        clock: monotonic.
        keep_seconds: how long.
    """

    def __init__(self, clock: Clock, keep_seconds: float = 20.0, runs_max: int = 2000) -> None:
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._runs_max = runs_max
        self._kept: dict[str, tuple[float, Any, list[CellLine]]] = {}
        self._lock = threading.Lock()

    def cells(self, tx: UiTransaction, runs: list[RunLine], fresh: bool) -> list[CellLine]:
        """All cells of these runs."""
        now = self._clock.monotonic()
        found: list[CellLine] = []
        wanted: dict[str, RunLine] = {}
        with self._lock:
            for run in runs:
                at, mark, cells = self._kept.get(run.run_key, (0.0, None, []))
                if not fresh and mark == (run.state, run.ended_at) and now - at < self._keep_seconds:
                    found += cells
                else:
                    wanted[run.run_key] = run
        read: dict[str, list[CellLine]] = {key: [] for key in wanted}
        for cell in tx.ui_cells(wanted):
            read[cell.run_key].append(cell)
        with self._lock:
            if len(self._kept) > self._runs_max:
                self._kept.clear()
            for key, cells in read.items():
                found += cells
                if wanted[key].state in ("success", "failed"):
                    self._kept[key] = (now, (wanted[key].state, wanted[key].ended_at), cells)
        return found


def grid(
    tx: UiTransaction,
    shapes: Shapes,
    kept: Columns,
    dag_id: str,
    count: int,
    *,
    before: str | None = None,
    known: str | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Columns of the grid, newest first, and its rows unless `known` names their version.

    Parameters:
        count: how many runs, at most 200.
        before: a run key; only older runs.
        known: version whose rows the screen has.
        fresh: nothing that was kept will do.
    """
    shape = shapes.get(tx, dag_row(tx, dag_id).version_id)
    runs = tx.ui_runs(dag_id, min(count, RUNS_MAX), before)
    extra: list[str] = []
    place = dict(shape.place)
    columns = {run.run_key: bytearray(b"\x0f" * len(place)) for run in runs}
    for cell in kept.cells(tx, runs, fresh):
        at = place.get(cell.task_id)
        if at is None:
            # A task of an older version: its row comes after those of today.
            at = place[cell.task_id] = len(place)
            extra.append(cell.task_id)
        column = columns[cell.run_key]
        if at >= len(column):
            column.extend(b"\x0f" * (at + 1 - len(column)))
        column[at] = cell.code | (MORE_TRIES if cell.try_number > 1 else 0) | (SEVERAL if cell.instances > 1 else 0)
    for column in columns.values():
        column.extend(b"\x0f" * (len(place) - len(column)))
    answer: dict[str, Any] = {
        "version": shape.version_id,
        "number": shape.number,
        "order": None,
        "gone": extra,
        "runs": [line_of(run) for run in runs],
        "cells": base64.b64encode(b"".join(columns.values())).decode(),
        "more": len(runs) == min(count, RUNS_MAX),
    }
    if known != shape.version_id:
        answer["order"] = shape.order
        answer["tree"] = shape.tree()
    return answer


def graph(tx: UiTransaction, shapes: Shapes, dag_id: str, version_id: str | None) -> dict[str, Any]:
    """The graph of a version: names in the order of the work, edges as pairs of places, groups, labels of edges."""
    shape = shapes.get(tx, version_id or dag_row(tx, dag_id).version_id)
    return {"version": shape.version_id, "number": shape.number, **_drawn(shape)}


def _drawn(shape: Shape) -> dict[str, Any]:
    tasks = [shape.tasks[task_id] for task_id in shape.order]
    groups = {group.group_id: place for place, group in enumerate(shape.document.groups)}
    return {
        "tasks": shape.order,
        "labels": [task.display_name for task in tasks],
        "operators": [task.operator for task in tasks],
        "group": [groups.get(task.group_id or "", -1) for task in tasks],
        "mapped": [place for place, task in enumerate(tasks) if task.mapping is not None],
        "setups": [place for place, task in enumerate(tasks) if task.is_setup],
        "teardowns": [place for place, task in enumerate(tasks) if task.is_teardown],
        "edges": shape.edges(),
        "edge_labels": [
            [shape.place[each.upstream], shape.place[each.downstream], each.label]
            for each in shape.document.edge_labels
            if each.upstream in shape.place and each.downstream in shape.place
        ],
        "groups": [
            [group.group_id, group.label, groups.get(group.parent_id or "", -1), group.mapping is not None]
            for group in shape.document.groups
        ],
    }


def run_tasks(tx: UiTransaction, shapes: Shapes, dag_id: str, run_id: str, task_id: str | None) -> dict[str, Any]:
    """A run with all its instances, in columns."""
    run = run_row(tx, dag_id, run_id)
    lines = tx.ui_tasks([run.run_key], task_id=task_id)
    shape = shapes.get(tx, run.version_id)
    lines.sort(key=lambda line: (shape.place.get(line.task_id, len(shape.place)), line.task_id, _path(line.map_path)))
    return {
        "run": line_of(tx.ui_runs_of_keys([run.run_key])[0]),
        "conf": run.conf,
        "interval": [
            None if at is None else round(at.timestamp() * 1000)
            for at in (run.data_interval_start, run.data_interval_end)
        ],
        "bundle_version": run.bundle_version,
        "number": shape.number,
        "deadlines": [deadline(row) for row in tx.deadline_list_of_run(run.run_key)],
        **columns(lines),
    }


_SHOWN = (
    "ti_id", "task_id", "map_path", "state", "try_number", "max_tries", "scheduled_at", "queued_at", "started_at",
    "ended_at", "seconds", "operator", "reason", "label", "pool",
)  # fmt: skip


def columns(lines: list[TaskLine]) -> dict[str, Any]:
    """Instances as rows below the names of their columns."""
    return {"columns": _SHOWN, "rows": [[getattr(line, name) for name in _SHOWN] for line in lines]}


def _path(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal()) if text else ()
