# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Values that tasks left for others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tradewind.ports.rows import TaskRow, XComRow
from tradewind.store.codec import XCOM
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement, upsert_tail
from tradewind.wire.execution import FoundXCom, XComEntry, XComValue
from tradewind.wire.ids import path_of

_TAIL = upsert_tail(XCOM, ("ti_id", "key"))
_FOUND = "x.task_id, x.map_path, x.data, x.url, x.size, x.sha256, x.length"
_WANTED = (("run_key", Kind.ID), ("task_id", Kind.TEXT))
_RETURN_VALUE = "return_value"


@statement
def xcom_delete(_: Dialect) -> str:
    return "DELETE FROM xcom WHERE ti_id = :ti_id AND key = :key"


@statement
def xcom_find(d: Dialect, with_paths: bool, with_prefix: bool) -> str:
    paths = f"AND {d.any('x.map_path', 'map_paths', Kind.TEXT)}" if with_paths else ""
    prefix = "AND (x.map_path = :map_prefix OR x.map_path LIKE :deeper)" if with_prefix else ""
    return f"""
        SELECT {_FOUND} FROM xcom x
        WHERE x.run_key = (SELECT r.run_key FROM dag_run r WHERE r.dag_id = :dag_id AND r.run_id = :run_id)
        AND {d.any("x.task_id", "task_ids", Kind.TEXT)} AND x.key = :key {paths} {prefix}"""


@statement
def xcom_inputs(d: Dialect) -> str:
    return f"""
        SELECT x.run_key, {_FOUND} FROM {d.relation("v", _WANTED)}
        JOIN xcom x ON x.run_key = v.run_key AND x.task_id = v.task_id
        AND x.key || '' = '{_RETURN_VALUE}' AND x.map_path = ''"""


class XComQueries(Work):
    """See `ports.store.TaskTx`."""

    def xcom_put(self, row: TaskRow, entries: Sequence[XComEntry], now: datetime) -> None:
        self.xcom_put_many([(row, entries)], now)

    def xcom_put_many(self, items: Sequence[tuple[TaskRow, Sequence[XComEntry]]], now: datetime) -> None:
        # One statement cannot write a row twice: of a key given twice the last one counts.
        rows = {(row.ti_id, entry.key): _row(row, entry, now) for row, entries in items for entry in entries}
        self._insert(XCOM, list(rows.values()), _TAIL)

    def xcom_delete(self, ti_id: str, key: str) -> None:
        self._write(xcom_delete(self._dialect), ti_id=self._id(ti_id), key=key)

    def xcom_find(
        self,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str],
        key: str,
        *,
        map_paths: Sequence[str] | None = None,
        map_prefix: str | None = None,
    ) -> list[FoundXCom]:
        found = self._rows(
            xcom_find(self._dialect, map_paths is not None, bool(map_prefix)),
            dag_id=dag_id,
            run_id=run_id,
            task_ids=self._texts(task_ids),
            key=key,
            map_paths=self._texts(map_paths or ()),
            map_prefix=map_prefix,
            deeper=f"{map_prefix}.%",
        )
        return _in_order(found, task_ids)

    def xcom_inputs(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> dict[str, list[FoundXCom]]:
        asked: dict[str, list[str]] = {}
        for run_key, task_ids in wanted:
            asked.setdefault(run_key, []).extend(task_ids)
        pairs = list(dict.fromkeys((run_key, task_id) for run_key, task_ids in asked.items() for task_id in task_ids))
        by_run: dict[str, list[Sequence[Any]]] = {run_key: [] for run_key in asked}
        if pairs:
            params = self._dialect.relation_params("v", _WANTED, pairs)
            for run_key, *found in self._rows(xcom_inputs(self._dialect), **params):
                by_run[run_key].append(found)
        return {run_key: _in_order(found, asked[run_key]) for run_key, found in by_run.items()}


def _row(task: TaskRow, entry: XComEntry, now: datetime) -> XComRow:
    value = entry.value
    return XComRow(
        ti_id=task.ti_id,
        run_key=task.run_key,
        dag_id=task.dag_id,
        run_id=task.run_id,
        task_id=task.task_id,
        map_path=task.map_path,
        key=entry.key,
        data=value.data,
        url=value.url,
        size=value.size,
        sha256=value.sha256,
        length=value.length,
        at=now,
    )


def _in_order(found: Iterable[Sequence[Any]], task_ids: Sequence[str]) -> list[FoundXCom]:
    place = {task_id: position for position, task_id in reversed(list(enumerate(task_ids)))}
    values = [
        FoundXCom(task_id, map_path, XComValue(data=data, url=url, size=size, sha256=sha256, length=length))
        for task_id, map_path, data, url, size, sha256, length in found
    ]
    return sorted(values, key=lambda value: (place[value.task_id], path_of(value.map_path)))
