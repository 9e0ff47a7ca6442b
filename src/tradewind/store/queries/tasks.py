# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Task instances, their attempts and what was rendered for them. What changes a state stands in `transitions.tasks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tradewind.ports.rows import AttemptRow, TaskRow
from tradewind.store.codec import ATTEMPT, TASK
from tradewind.store.dialects.base import Dialect
from tradewind.store.kinds import Kind
from tradewind.store.statements import Work, statement

from .runs import task_list_of_run

_RENDERED = (("ti_id", Kind.ID), ("fields", Kind.JSON))


@statement
def task_get_many(d: Dialect, lock: bool) -> str:
    order = f"ORDER BY t.ti_id {d.lock('t')}" if lock else ""
    return f"SELECT {TASK.select('t')} FROM task_instance t WHERE {d.any('t.ti_id', 'ti_ids', Kind.ID)} {order}"


@statement
def task_by_token(d: Dialect, lock: bool) -> str:
    order = f"ORDER BY t.ti_id {d.lock('t')}" if lock else ""
    # The index holds only rows that have a token; the planner must be told that this is enough.
    which = f"t.attempt_token IS NOT NULL AND {d.any('t.attempt_token', 'tokens', Kind.TEXT)}"
    return f"SELECT {TASK.select('t')} FROM task_instance t WHERE {which} {order}"


@statement
def task_rename(_: Dialect) -> str:
    return "UPDATE task_instance SET map_path = :map_path WHERE ti_id = :ti_id"


@statement
def task_list_of_agent(_: Dialect) -> str:
    return f"""SELECT {TASK.select("t")} FROM task_instance t
               WHERE t.agent = :agent AND t.state IN ('queued', 'running') ORDER BY t.ti_id"""


@statement
def task_list_orphaned(_: Dialect) -> str:
    registered = "SELECT c.id FROM component c WHERE c.kind = 'agent'"
    return f"""SELECT {TASK.select("t")} FROM task_instance t
               WHERE t.state IN ('queued', 'running') AND t.agent NOT IN ({registered})"""


@statement
def task_set_label(_: Dialect) -> str:
    return "UPDATE task_instance SET map_index_label = :label WHERE ti_id = :ti_id"


@statement
def attempt_list(_: Dialect) -> str:
    return f"SELECT {ATTEMPT.select('a')} FROM task_attempt a WHERE a.ti_id = :ti_id ORDER BY a.try_number"


class TaskQueries(Work):
    """See `ports.store.TaskTx`."""

    def task_insert(self, rows: Sequence[TaskRow]) -> None:
        self._insert(TASK, rows)

    def task_rename(self, ti_id: str, map_path: str) -> None:
        self._write(task_rename(self._dialect), ti_id=self._id(ti_id), map_path=map_path)

    def task_get_many(self, ti_ids: Iterable[str], *, lock: bool = False) -> list[TaskRow]:
        wanted = list(ti_ids)
        found = self._read_all(TASK, task_get_many(self._dialect, lock), ti_ids=self._ids(wanted))
        by_id = {row.ti_id: row for row in found}
        return [by_id[ti_id] for ti_id in dict.fromkeys(wanted) if ti_id in by_id]

    def task_by_token(self, tokens: Iterable[str], *, lock: bool = True) -> dict[str, TaskRow]:
        found = self._read_all(TASK, task_by_token(self._dialect, lock), tokens=self._texts(tokens))
        return {row.attempt_token: row for row in found if row.attempt_token is not None}

    def task_list(self, run_key: str, task_ids: Iterable[str] | None = None) -> list[TaskRow]:
        return self._read_all(
            TASK,
            task_list_of_run(self._dialect, task_ids is not None),
            run_key=self._id(run_key),
            task_ids=self._texts(task_ids or ()),
        )

    def task_list_of_agent(self, incarnation: str) -> list[TaskRow]:
        return self._read_all(TASK, task_list_of_agent(self._dialect), agent=incarnation)

    def task_list_orphaned(self) -> list[TaskRow]:
        return sorted(self._read_all(TASK, task_list_orphaned(self._dialect)), key=lambda row: row.ti_id)

    def task_set_label(self, ti_id: str, label: str) -> None:
        self._write(task_set_label(self._dialect), ti_id=self._id(ti_id), label=self._value(Kind.TEXT, label))

    def attempt_list(self, ti_id: str) -> list[AttemptRow]:
        return self._read_all(ATTEMPT, attempt_list(self._dialect), ti_id=self._id(ti_id))

    def rendered_put(self, ti_id: str, fields: Mapping[str, Any]) -> None:
        encoded = [self._id(ti_id), self._value(Kind.JSON, fields)]
        tail = "ON CONFLICT (ti_id) DO UPDATE SET fields = excluded.fields"
        self._session.insert("rendered_fields", _RENDERED, [encoded], tail)
