# ruff: noqa: S608 # statements are put together from names of ours, never from values
"""Changes of task instances: one set-based statement per change, written from the table of legal changes.

The text depends on the change and on which of its columns are given; both are few, so drivers prepare each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tradewind.domain.task_state import TASK_CHANGES, TaskChange
from tradewind.ports.store import TaskMove
from tradewind.store.codec import ATTEMPT, TASK
from tradewind.store.dialects.base import Columns, Dialect
from tradewind.store.kinds import Kind
from tradewind.store.queries.triggers import trigger_cancel, trigger_drop
from tradewind.store.statements import Work, statement
from tradewind.wire.states import TERMINAL_STATES, CauseOfDeath, TaskInstanceState

# These changes keep the attempt that they end as history.
_KEEPING = frozenset({"retry", "clear"})
# After these an instance begins anew, without what an earlier attempt left for others.
_DROPPING_XCOMS = frozenset({"queue", "clear", "defer_at_start"})
# After these an instance does not wait for its trigger (or person) any more.
_CANCELLING = frozenset({"stop", "stop_skipped", "clear", "mark_success", "mark_failed", "mark_skipped"})
_FIXED: Columns = (("for_id", Kind.ID), ("for_token", Kind.TEXT), ("why", Kind.TEXT))


def _relation(columns: tuple[str, ...]) -> Columns:
    return (*_FIXED, *((f"new_{column}", TASK.kinds[column]) for column in columns))


def _guard(rule: TaskChange) -> str:
    """Condition on instance `t` and request `v`.

    States and tokens are compared as expressions, so that no index of theirs fits: on a young database the planner
    takes such an index for the shorter way and reads all that run, where the key finds the row at once.
    """
    conditions = ["t.ti_id = v.for_id"]
    states = ", ".join(sorted(f"'{state}'" for state in rule.origins if state is not None))
    if len(rule.origins) <= len(TaskInstanceState):
        named = f"t.state || '' IN ({states})"
        conditions.append(f"(t.state IS NULL OR {named})" if None in rule.origins else named)
    if rule.fenced_by_token:
        conditions.append("CASE WHEN t.attempt_token = v.for_token THEN 1 ELSE 0 END = 1")
    return " AND ".join(conditions)


@statement
def task_move(d: Dialect, change: str, columns: tuple[str, ...]) -> str:
    rule = TASK_CHANGES[change]
    target = "NULL" if rule.target is None else f"'{rule.target}'"
    settings = [f"state = {target}", "reason = v.why", "updated_at = :now"]
    for column in columns:
        value = f"v.new_{column}"
        settings.append(f"{column} = {d.json_column(value) if TASK.kinds[column] is Kind.NAMES else value}")
    settings += [
        f"{column} = {'false' if column == 'holds_slot' else 'NULL'}" for column in rule.clears if column not in columns
    ]
    return f"""UPDATE task_instance AS t SET {", ".join(settings)} FROM {d.relation("v", _relation(columns))}
               WHERE {_guard(rule)} RETURNING ti_id"""


@statement
def attempt_keep(d: Dialect, change: str, columns: tuple[str, ...]) -> str:
    """The attempt as it ended: with its own verdict if it had one, else with what this change tells.

    The rows are locked before they are copied, so that the change after it finds what was copied.
    """
    rule = TASK_CHANGES[change]
    ended = ", ".join(sorted(f"'{state}'" for state in TERMINAL_STATES))
    told = {column: f"v.new_{column}" for column in columns}
    if change == "clear":
        told["cause"] = f"'{CauseOfDeath.USER}'"
        told["ended_at"] = ":now"
    values = []
    for column in ATTEMPT.columns:
        if column == "state":
            value = f"CASE WHEN t.state IN ({ended}) THEN t.state ELSE '{TaskInstanceState.FAILED}' END"
        elif column in {"cause", "ended_at", "duration_seconds"} and column in told:
            value = f"CASE WHEN t.state IN ({ended}) THEN t.{column} ELSE coalesce({told[column]}, t.{column}) END"
        elif column == "reason":
            value = f"CASE WHEN t.state IN ({ended}) THEN t.reason ELSE v.why END"
        else:
            value = f"t.{column}"
        values.append(f"{value} AS {column}")
    names = ATTEMPT.plain()
    return f"""
        WITH past AS (
            SELECT {", ".join(values)} FROM {d.relation("v", _relation(columns))} JOIN task_instance t ON {_guard(rule)}
            WHERE t.try_number > 0 AND t.state IS NOT NULL AND t.state <> 'scheduled' {d.lock("t")}
        ) INSERT INTO task_attempt ({names}) SELECT {names} FROM past WHERE true
        ON CONFLICT (ti_id, try_number) DO NOTHING"""


@statement
def xcom_drop(d: Dialect) -> str:
    return f"DELETE FROM xcom WHERE {d.any('ti_id', 'ti_ids', Kind.ID)}"


@statement
def task_release(d: Dialect) -> str:
    return f"UPDATE task_instance SET holds_slot = false WHERE {d.any('ti_id', 'ti_ids', Kind.ID)}"


class TaskMoves(Work):
    """See `ports.store.TaskTx`."""

    def task_move(self, change: str, moves: Sequence[TaskMove], now: datetime) -> list[str]:
        rule = TASK_CHANGES[change]
        if not moves:
            return []
        moved: set[str] = set()
        for columns, group in _by_columns(rule, moves).items():
            moved.update(self._move_group(rule, columns, group, now))
        if moved:
            self.ring("changes")
        return list(dict.fromkeys(move.ti_id for move in moves if move.ti_id in moved))

    def task_tell(self, change: str, moves: Sequence[TaskMove], now: datetime) -> None:
        rule = TASK_CHANGES[change]
        if rule.name in _KEEPING or rule.name in _DROPPING_XCOMS:
            self.task_move(change, moves, now)
            return
        for columns, group in _by_columns(rule, moves).items():
            params = self._dialect.relation_params("v", _relation(columns), group)
            params["now"] = self._instant(now)
            self._session.write(task_move(self._dialect, rule.name, columns), params)
            self.ring("changes")

    def _move_group(
        self, rule: TaskChange, columns: tuple[str, ...], group: list[tuple[Any, ...]], now: datetime
    ) -> list[str]:
        dialect = self._dialect
        params = dialect.relation_params("v", _relation(columns), group)
        params["now"] = self._instant(now)
        if rule.name in _KEEPING:
            self._session.write(attempt_keep(dialect, rule.name, columns), params)
        moved = [ti_id for (ti_id,) in self._session.rows(task_move(dialect, rule.name, columns), params)]
        if moved and rule.name in _DROPPING_XCOMS:
            self._write(xcom_drop(dialect), ti_ids=self._ids(moved))
        if moved and rule.name in _CANCELLING:
            self._cancel_waits(moved)
        return moved

    def _cancel_waits(self, ti_ids: list[str]) -> None:
        wanted = self._ids(ti_ids)
        self._write(trigger_drop(self._dialect), ti_ids=wanted)
        if self._rows(trigger_cancel(self._dialect), ti_ids=wanted):
            self.ring("triggers")

    def task_release(self, ti_ids: Sequence[str]) -> None:
        if ti_ids:
            self._write(task_release(self._dialect), ti_ids=self._ids(ti_ids))


def _by_columns(rule: TaskChange, moves: Sequence[TaskMove]) -> dict[tuple[str, ...], list[tuple[Any, ...]]]:
    """The rows of the relation, by the columns that they give: a column that is not given keeps its value."""
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for move in moves:
        if rule.fenced_by_token and move.token is None:
            raise ValueError(f"task change {rule.name!r} of {move.ti_id} is fenced by the attempt token; give it")
        columns = tuple(column for column in rule.sets if column in move.values)
        if len(columns) != len(move.values):
            unknown = ", ".join(sorted(set(move.values) - set(rule.sets)))
            raise ValueError(
                f"task change {rule.name!r} does not set {unknown}; it sets {', '.join(rule.sets) or 'nothing'}"
            )
        row = (move.ti_id, move.token, move.reason, *(move.values[column] for column in columns))
        groups.setdefault(columns, []).append(row)
    return groups
