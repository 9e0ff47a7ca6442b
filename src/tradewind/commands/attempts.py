"""How the end of an attempt changes its row: one place for reports of agents, lost agents and launch failures.

`Settlement` collects the ends of many attempts and writes them set by set: moves, XComs and inbox lines, in one
transaction of the caller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from datetime import datetime
from typing import Any

from tradewind.domain.retry import RetryLimits, decide_failure
from tradewind.domain.task_state import TASK_CHANGES
from tradewind.kernel.ids import uuid7
from tradewind.ports.outbox_rows import OutboxRow
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.ports.vault import Vault
from tradewind.wire.assets import AssetEmission
from tradewind.wire.document import TaskDocument, source_tasks
from tradewind.wire.execution import Outcome, XComEntry
from tradewind.wire.inbox import InboxEvent, InstanceReported
from tradewind.wire.states import CauseOfDeath, TaskInstanceState

from .asset_events import Source, emissions_of, tell_changes
from .documents import Documents
from .task_callbacks import made_no_calls, of_lost_attempt
from .waits import Waits

S = TaskInstanceState


class Settlement:
    """Ends of attempts to be written together.

    Parameters:
        now: the instant of the transaction.
        locked: tokens of attempts whose rows are given as this transaction locked them.
    """

    def __init__(
        self,
        tx: Transaction,
        documents: Documents,
        now: datetime,
        limits: RetryLimits,
        locked: Container[str] = frozenset(),
        vault: Vault | None = None,
    ) -> None:
        self._tx = tx
        self._documents = documents
        self._now = now
        self._limits = limits
        self._starts: list[TaskMove] = []
        self._moves: dict[str, list[TaskMove]] = defaultdict(list)
        self._sure: dict[str, list[TaskMove]] = defaultdict(list)
        """Of rows that are locked and in a state from which the change is legal: nobody asks whether they moved."""
        self._started: set[str] = set()
        self._xcoms: list[tuple[TaskRow, tuple[XComEntry, ...]]] = []
        self._rendered: list[tuple[str, dict[str, Any]]] = []
        self._labels: list[tuple[str, str]] = []
        self._inbox: dict[str, tuple[str, InboxEvent]] = {}
        self._callbacks: dict[str, OutboxRow] = {}
        self._told: dict[str, list[tuple[Source, AssetEmission]]] = {}
        """ti_id → changes of assets, if it succeeds."""
        self._waits = Waits(now, vault)
        self._locked = locked

    def start(self, row: TaskRow, token: str, *, agent: str, hostname: str, pid: int, at: datetime | None) -> None:
        """A granted claim."""
        values = {"started_at": at or self._now, "agent": agent, "hostname": hostname, "pid": pid}
        self._starts.append(TaskMove(row.ti_id, None, token, values))
        self._started.add(row.ti_id)

    def push(self, row: TaskRow, entries: tuple[XComEntry, ...]) -> None:
        """Values pushed in the middle of an attempt."""
        if entries:
            self._xcoms.append((row, entries))

    def end(self, row: TaskRow, token: str, outcome: Outcome) -> None:
        """The outcome of an attempt as its agent reports it."""
        self.push(row, outcome.xcoms)
        if row.first_started_at is not None:
            self._waits.over(row)
        if outcome.rendered_fields is not None:
            self._rendered.append((row.ti_id, outcome.rendered_fields))
        if outcome.map_index_label is not None:
            self._labels.append((row.ti_id, outcome.map_index_label))
        ended = {"ended_at": self._now, "duration_seconds": outcome.duration_seconds}
        length = next((e.value.length for e in outcome.xcoms if e.key == "return_value"), None)
        match outcome.state:
            case S.SUCCESS if length is not None and length > self._limits.map_length_max and self._is_expanded(row):
                self._fail(row, token, _too_long(row, length, self._limits.map_length_max), ended)
            case S.SUCCESS:
                self._note_changes(row, outcome)
                self._move(
                    "succeed",
                    row,
                    token,
                    S.SUCCESS,
                    outcome,
                    {**ended, "xcom_length": length, "skips": outcome.skips},
                    length=length,
                )
            case S.SKIPPED:
                self._move("skip_self", row, token, S.SKIPPED, outcome, ended)
            case S.REMOVED:
                self._move("remove_self", row, token, S.REMOVED, outcome, {"ended_at": self._now})
            case S.UP_FOR_RESCHEDULE:
                due = outcome.reschedule_at or self._now
                values = {**ended, "due_at": due, "first_started_at": _first_start(row, self._now)}
                self._move("reschedule", row, token, S.UP_FOR_RESCHEDULE, outcome, values, due_at=due)
            case S.DEFERRED | S.AWAITING_INPUT if outcome.deferral is not None:
                self._waits.add(row, token, outcome)
                values = {
                    **ended,
                    "due_at": self._waits.due_at(outcome),
                    "first_started_at": _first_start(row, self._now),
                }
                change = "defer" if outcome.state is S.DEFERRED else "await_input"
                self._move(change, row, token, outcome.state, outcome, values, due_at=self._waits.due_at(outcome))
            case _:
                self._fail(row, token, outcome, ended)

    def lose(self, row: TaskRow, reason: str) -> None:
        """An attempt whose agent is gone."""
        if row.attempt_token is not None:
            self.end(row, row.attempt_token, Outcome(state=S.FAILED, cause=CauseOfDeath.LOST, reason=reason))

    def write(self) -> set[str]:
        """Carry everything out; the ti_ids that moved by their end.

        Those that did not were overtaken by another change: their inbox line is not sent.
        """
        if self._starts:
            self._tx.task_tell("start", self._starts, self._now)
        if self._xcoms:
            self._tx.xcom_put_many(self._xcoms, self._now)
        for ti_id, fields in self._rendered:
            self._tx.rendered_put(ti_id, fields)
        for ti_id, label in self._labels:
            self._tx.task_set_label(ti_id, label)
        moved: set[str] = set()
        for change, moves in self._sure.items():
            self._tx.task_tell(change, moves, self._now)
            moved.update(move.ti_id for move in moves)
        for change, moves in self._moves.items():
            moved.update(self._tx.task_move(change, moves, self._now))
        self._waits.write(self._tx, moved)
        told = [change for ti_id, changes in self._told.items() if ti_id in moved for change in changes]
        if told:
            tell_changes(self._tx, told, self._now)
        lines = [line for ti_id, line in self._inbox.items() if ti_id in moved]
        if lines:
            self._tx.inbox_put(lines)
        self._tx.outbox_put([line for ti_id, line in self._callbacks.items() if ti_id in moved])
        if moved or self._starts:
            self._tx.ring("changes")
        return moved

    def _fail(self, row: TaskRow, token: str, outcome: Outcome, ended: dict[str, Any]) -> None:
        cause = outcome.cause or CauseOfDeath.EXCEPTION
        verdict = decide_failure(
            self._task(row),
            row.try_number,
            row.max_tries,
            row.infrastructure_tries,
            cause,
            self._now,
            retry_wanted=outcome.retry,
            retry_delay_override=outcome.retry_delay_seconds,
            limits=self._limits,
            identity=f"{row.run_id}/{row.map_path}",
        )
        reason = (
            f"{outcome.reason}; {verdict.reason}"
            if outcome.reason and verdict.reason
            else outcome.reason or verdict.reason
        )
        noted = Outcome(state=S.FAILED, cause=cause, reason=reason)
        if self._task(row).has_callbacks and made_no_calls(outcome):
            self._call_later(row, reason, verdict.retry)
        if verdict.infrastructure_tries > row.infrastructure_tries:
            self._waits.keep(row)
        if verdict.retry:
            values = {
                **ended,
                "cause": cause,
                "due_at": verdict.due_at,
                "max_tries": verdict.max_tries,
                "infrastructure_tries": verdict.infrastructure_tries,
            }
            self._move("retry", row, token, S.UP_FOR_RETRY, noted, values, due_at=verdict.due_at)
        else:
            self._move("fail", row, token, S.FAILED, noted, {**ended, "cause": cause})

    def _call_later(self, row: TaskRow, reason: str, retried: bool) -> None:
        run = self._tx.run_get(row.run_key)
        if run is not None:
            dag = self._documents.get(self._tx, row.version_id)
            line = of_lost_attempt(row, run, dag, reason, self._now, lambda: str(uuid7()), retried=retried)
            self._callbacks[row.ti_id] = line

    def _note_changes(self, row: TaskRow, outcome: Outcome) -> None:
        """What the attempt tells of assets; one that says nothing tells of each outlet of its task."""
        emissions = emissions_of(self._task(row)) if outcome.asset_events is None else outcome.asset_events
        if emissions:
            run = self._tx.run_get(row.run_key)
            index = int(row.map_path.rpartition(".")[2]) if row.map_path else -1
            source = Source(row.dag_id, row.run_id, row.task_id, index, run.partition_key if run is not None else None)
            self._told[row.ti_id] = [(source, emission) for emission in emissions]

    def _is_expanded(self, row: TaskRow) -> bool:
        """Whether a mapped task or group expands over what this task returns."""
        document = self._documents.get(self._tx, row.version_id).document
        mappings = [task.mapping for task in document.tasks] + [group.mapping for group in document.groups]
        return any(row.task_id in source_tasks(mapping) for mapping in mappings if mapping is not None)

    def _task(self, row: TaskRow) -> TaskDocument:
        dag = self._documents.get(self._tx, row.version_id)
        return dag.tasks.get(row.task_id) or TaskDocument(task_id=row.task_id, operator=row.operator)

    def _move(
        self,
        change: str,
        row: TaskRow,
        token: str,
        state: TaskInstanceState,
        outcome: Outcome,
        values: dict[str, Any],
        *,
        due_at: datetime | None = None,
        length: int | None = None,
    ) -> None:
        present = S.RUNNING if row.ti_id in self._started else row.state
        is_sure = token in self._locked and present in TASK_CHANGES[change].origins
        (self._sure if is_sure else self._moves)[change].append(
            TaskMove(row.ti_id, outcome.reason or None, token, values)
        )
        event = InstanceReported(
            ti_id=row.ti_id,
            task_id=row.task_id,
            map_path=row.map_path,
            state=state,
            try_number=row.try_number,
            due_at=due_at,
            length=length,
            skips=outcome.skips,
            cause=outcome.cause,
        )
        self._inbox[row.ti_id] = (row.run_key, event)


def _first_start(row: TaskRow, now: datetime) -> datetime:
    return row.first_started_at or row.started_at or now


def _too_long(row: TaskRow, length: int, length_max: int) -> Outcome:
    reason = (
        f"task {row.task_id!r} returned {length} items for tasks that expand over them, more than the {length_max} "
        "that core.max_map_length allows"
    )
    return Outcome(state=S.FAILED, cause=CauseOfDeath.FAIL_NOW, reason=reason)
