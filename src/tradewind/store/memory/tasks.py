"""Task instances, their attempts and rendered fields. The only place of this plug that writes a task's state."""

# ruff: noqa: ARG002 # transactions are serial, so that `lock` has nothing to do here

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from tradewind.domain.task_state import TASK_CHANGES, TaskChange
from tradewind.ports.rows import AttemptRow, TaskRow
from tradewind.ports.store import TaskMove
from tradewind.ports.trigger_rows import TriggerState
from tradewind.wire.states import TERMINAL_STATES, CauseOfDeath, TaskInstanceState

from .tables import BrokenRule, Journal
from .unit import Unit

_CLEARED_NOT_NULL: dict[str, Any] = {"holds_slot": False, "skips": ()}
_DROPS_XCOMS = frozenset({"clear", "queue", "defer_at_start"})
_KEEPS_ATTEMPT = frozenset({"clear", "retry"})
_CANCELS_WAITS = frozenset({"stop", "stop_skipped", "clear", "mark_success", "mark_failed", "mark_skipped"})
_BETWEEN = frozenset({None, TaskInstanceState.SCHEDULED})
"""No attempt is current: the one before is history already, the next has not begun."""


class _Rule(NamedTuple):
    """A legal change, ready to be applied."""

    change: TaskChange
    settable: frozenset[str]
    fixed: dict[str, Any]
    """What every moved row gets."""
    keeps_attempt: bool
    drops_xcoms: bool
    cancels_waits: bool


def _rule(change: TaskChange) -> _Rule:
    cleared = {column: _CLEARED_NOT_NULL.get(column) for column in change.clears}
    return _Rule(
        change,
        frozenset(change.sets),
        {"state": change.target, **cleared},
        change.name in _KEEPS_ATTEMPT,
        change.name in _DROPS_XCOMS,
        change.name in _CANCELS_WAITS,
    )


_RULES = {name: _rule(change) for name, change in TASK_CHANGES.items()}


class TaskPart(Unit):
    """`ports.store.TaskTx`, without XComs and the inbox."""

    def task_insert(self, rows: Sequence[TaskRow]) -> None:
        journal = self._write("task_insert")
        tasks, runs = self._data.tasks, self._data.runs.rows
        for row in rows:
            if row.run_key not in runs:
                raise BrokenRule(f"task_instance: its run {row.run_key!r} does not exist")
            tasks.insert(journal, row.ti_id, row)

    def task_rename(self, ti_id: str, map_path: str) -> None:
        journal = self._write("task_rename")
        row = self._data.tasks.get(ti_id)
        if row is not None:
            self._data.tasks.put(journal, ti_id, replace(row, map_path=map_path))

    def task_tell(self, change: str, moves: Sequence[TaskMove], now: datetime) -> None:
        self.task_move(change, moves, now)

    def task_move(self, change: str, moves: Sequence[TaskMove], now: datetime) -> list[str]:
        journal = self._write("task_move")
        rule = _RULES[change]
        _check_moves(rule, moves)
        tasks, origins, fenced = self._data.tasks, rule.change.origins, rule.change.fenced_by_token
        moved: dict[str, None] = {}
        for move in moves:
            row = tasks.rows.get(move.ti_id)
            if row is None or row.state not in origins or move.ti_id in moved:
                continue
            if fenced and row.attempt_token != move.token:
                continue
            after = replace(row, reason=move.reason, updated_at=now, **{**rule.fixed, **move.values})
            if rule.keeps_attempt and row.try_number and row.state not in _BETWEEN:
                self._keep_attempt(journal, row, after)
            if rule.drops_xcoms:
                self._drop_xcoms(journal, move.ti_id)
            if rule.cancels_waits:
                self._cancel_waits(journal, move.ti_id)
            tasks.put(journal, move.ti_id, after)
            moved[move.ti_id] = None
        if moved:
            self.topics.add("changes")
        return list(moved)

    def task_release(self, ti_ids: Sequence[str]) -> None:
        journal = self._write("task_release")
        for row in self.task_get_many(ti_ids):
            if row.holds_slot:
                self._data.tasks.put(journal, row.ti_id, replace(row, holds_slot=False))

    def task_get_many(self, ti_ids: Iterable[str], *, lock: bool = False) -> list[TaskRow]:
        rows = self._data.tasks.rows
        return [rows[ti_id] for ti_id in dict.fromkeys(ti_ids) if ti_id in rows]

    def task_by_token(self, tokens: Iterable[str], *, lock: bool = True) -> dict[str, TaskRow]:
        found = {}
        for token in tokens:
            row = self._data.tasks.one("token", token)
            if row is not None:
                found[token] = row
        return found

    def task_list(self, run_key: str, task_ids: Iterable[str] | None = None) -> list[TaskRow]:
        rows = self._data.tasks.found("run", run_key)
        if task_ids is None:
            return rows
        wanted = set(task_ids)
        return [row for row in rows if row.task_id in wanted]

    def task_list_of_agent(self, incarnation: str) -> list[TaskRow]:
        return self._data.tasks.found("agent", incarnation)

    def task_list_orphaned(self) -> list[TaskRow]:
        agents = {row.id for row in self._data.components if row.kind == "agent"}
        gone = [agent for agent in self._data.tasks.indexes["agent"].values() if agent not in agents]
        return [row for agent in gone for row in self._data.tasks.found("agent", agent)]

    def task_set_label(self, ti_id: str, label: str) -> None:
        journal = self._write("task_set_label")
        row = self._data.tasks.get(ti_id)
        if row is not None:
            self._data.tasks.put(journal, ti_id, replace(row, map_index_label=label))

    def attempt_list(self, ti_id: str) -> list[AttemptRow]:
        return sorted(self._data.attempts.found("instance", ti_id), key=lambda row: row.try_number)

    def rendered_put(self, ti_id: str, fields: Mapping[str, Any]) -> None:
        self._data.rendered.put(self._write("rendered_put"), ti_id, msgspec.json.encode(fields))

    def _keep_attempt(self, journal: Journal, before: TaskRow, after: TaskRow) -> None:
        """Keep the attempt of `before` as history: with its own verdict if it had one, else as this change ends it.

        An attempt that is history already (cleared while it waits for its retry) stays as it was written.
        """
        key = (before.ti_id, before.try_number)
        if key in self._data.attempts.rows:
            return
        ended = before if before.state in TERMINAL_STATES else _ended(before, after)
        attempt = AttemptRow(**{name: getattr(ended, name) for name in AttemptRow.__struct_fields__})
        self._data.attempts.insert(journal, key, attempt)

    def _cancel_waits(self, journal: Journal, ti_id: str) -> None:
        for row in self._data.triggers.found("instance", ti_id):
            if row.state is TriggerState.WAITING and row.triggerer is not None:
                self._data.triggers.put(journal, row.token, replace(row, state=TriggerState.CANCELLED))
                self.topics.add("triggers")
            elif row.state is not TriggerState.CANCELLED:
                self._data.triggers.delete(journal, row.token)

    def _drop_xcoms(self, journal: Journal, ti_id: str) -> None:
        for key in self._data.xcoms.indexes["instance"].keys(ti_id):
            self._data.xcoms.delete(journal, key)


def _ended(before: TaskRow, after: TaskRow) -> TaskRow:
    """An attempt that had no verdict, as the change to `after` ends it."""
    told: dict[str, Any] = {"cause": CauseOfDeath.USER, "ended_at": after.updated_at}  # a clear tells no more
    if after.state is TaskInstanceState.UP_FOR_RETRY:
        told = {name: getattr(after, name) for name in ("cause", "ended_at", "duration_seconds")}
    return replace(before, state=TaskInstanceState.FAILED, reason=after.reason, **told)


def _check_moves(rule: _Rule, moves: Sequence[TaskMove]) -> None:
    """Raise `ValueError` for what the change does not allow, before anything is moved."""
    change = rule.change
    for move in moves:
        if not rule.settable.issuperset(move.values):
            wrong = sorted(set(move.values) - rule.settable)
            raise ValueError(f"the change {change.name!r} does not set {', '.join(wrong)}; it sets {change.sets}")
        if change.fenced_by_token and move.token is None:
            raise ValueError(f"the change {change.name!r} is fenced by the attempt token; give that of {move.ti_id}")
