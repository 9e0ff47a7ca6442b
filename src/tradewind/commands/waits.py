"""Waits outside of processes: taken down when a task reports them, ended by an event, an answer or their time.

What ends a wait is written beside the change of state, and one line tells the owner of the run: whoever comes second
moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from tradewind.ports.hitl_rows import HitlRow
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import TaskMove, Transaction
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.ports.vault import Vault
from tradewind.wire.deferral import Deferral, FailureOfWait, HumanQuestion, Resume
from tradewind.wire.execution import Outcome
from tradewind.wire.inbox import InstanceReported
from tradewind.wire.states import TaskInstanceState

S = TaskInstanceState
WAITING = (S.DEFERRED, S.AWAITING_INPUT)


class Waits:
    """Waits that begin or are over in one settlement.

    Parameters:
        now: the instant of the transaction.
        vault: seals what triggers are made with, which may hold secrets; None: it stays as it is (simulation, tests).
    """

    def __init__(self, now: datetime, vault: Vault | None = None) -> None:
        self._now = now
        self._vault = vault
        self._begun: dict[str, tuple[TriggerRow, HitlRow | None]] = {}
        self._over: set[str] = set()

    def due_at(self, outcome: Outcome) -> datetime | None:
        """When a wait that is reported now ends without an event."""
        return None if outcome.deferral is None else due_at(outcome.deferral, self._now)

    def add(self, row: TaskRow, token: str, outcome: Outcome) -> None:
        """The attempt reports that it waits."""
        assert outcome.deferral is not None
        wait = wait_row(row, token, outcome.deferral, self._now)
        if self._vault is not None and wait.classpath:
            wait = msgspec.structs.replace(wait, kwargs=self._vault.seal(wait.kwargs).decode("ascii"))
        asked = outcome.question
        question = None if asked is None else _question_row(wait, asked)
        self._begun[row.ti_id] = (wait, question)

    def over(self, row: TaskRow) -> None:
        """The attempt ended: what was kept of a wait before it goes."""
        self._over.add(row.ti_id)

    def keep(self, row: TaskRow) -> None:
        """It was not the task's doing: the repetition goes on after the wait, not before it."""
        self._over.discard(row.ti_id)

    def write(self, tx: Transaction, moved: set[str]) -> None:
        """For those whose end was written."""
        if gone := sorted((self._over & moved) - self._begun.keys()):
            tx.trigger_forget(gone)
        begun = [wait for ti_id, wait in self._begun.items() if ti_id in moved]
        if begun:
            tx.trigger_put([wait for wait, _ in begun])
            questions = [question for _, question in begun if question is not None]
            if questions:
                tx.hitl_put(questions)


def opened_kwargs(row: TriggerRow, vault: Vault) -> str:
    """What a trigger is made with, readable. Raises `InvalidValue` when it was sealed with a key that is gone."""
    return row.kwargs if row.kwargs.startswith("{") else vault.open(row.kwargs.encode("ascii"))


def due_at(deferral: Deferral, now: datetime) -> datetime | None:
    """When this wait ends without an event; None: never."""
    return None if deferral.timeout_seconds is None else now + timedelta(seconds=deferral.timeout_seconds)


def wait_row(row: TaskRow, token: str, deferral: Deferral, now: datetime) -> TriggerRow:
    """The wait of an attempt as a row."""
    return TriggerRow(
        token=token,
        ti_id=row.ti_id,
        run_key=row.run_key,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_path=row.map_path,
        try_number=row.try_number,
        version_id=row.version_id,
        classpath=deferral.classpath,
        kwargs=deferral.kwargs,
        method=deferral.method,
        next_kwargs=deferral.next_kwargs,
        queue=deferral.queue or row.queue,
        created_at=now,
        due_at=due_at(deferral, now),
    )


def _question_row(wait: TriggerRow, asked: HumanQuestion) -> HitlRow:
    return HitlRow(
        token=wait.token,
        ti_id=wait.ti_id,
        run_key=wait.run_key,
        dag_id=wait.dag_id,
        run_id=wait.run_id,
        task_id=wait.task_id,
        map_path=wait.map_path,
        try_number=wait.try_number,
        subject=asked.subject,
        options=asked.options,
        body=asked.body,
        has_defaults=asked.defaults is not None,
        defaults=asked.defaults or (),
        multiple=asked.multiple,
        params=msgspec.json.decode(asked.params),
        assigned_users=dict(asked.assigned_users),
        created_at=wait.created_at,
        due_at=wait.due_at,
    )


def end_waits(tx: Transaction, fires: Sequence[TriggerFire], now: datetime) -> list[TaskRow]:
    """Events (or failures) have come: their tasks go on. Those that do not wait any more are left alone.

    Returns:
        The instances that go on, as they were.
    """
    rows = tx.task_by_token([fire.token for fire in fires], lock=True)
    wanted = [fire for fire in fires if fire.token in rows and rows[fire.token].state in WAITING]
    fired = set(tx.trigger_fire(wanted))
    if not fired:
        return []
    moves = [
        TaskMove(rows[fire.token].ti_id, _reason(fire), fire.token, {"scheduled_at": now, "ended_at": now})
        for fire in wanted
        if fire.token in fired
    ]
    moved = set(tx.task_move("wake", moves, now))
    woken = [rows[token] for token in fired if rows[token].ti_id in moved]
    tx.inbox_put([(row.run_key, woken_line(row)) for row in woken])
    return woken


def woken_line(row: TaskRow) -> InstanceReported:
    """What the owner of the run hears when a wait is over."""
    return InstanceReported(
        ti_id=row.ti_id,
        task_id=row.task_id,
        map_path=row.map_path,
        state=S.SCHEDULED,
        try_number=row.try_number,
    )


def resumes_of(tx: Transaction, ti_ids: Iterable[str]) -> dict[str, Resume]:
    """How instances go on that have waited, by ti_id."""
    return {ti_id: resume_of(row) for ti_id, row in tx.trigger_list_fired(ti_ids).items()}


def resume_of(row: TriggerRow) -> Resume:
    return Resume(
        method=row.method, kwargs=row.next_kwargs, event=row.event, failure=row.failure, error=row.error or ""
    )


def _reason(fire: TriggerFire) -> str:
    if fire.failure is None:
        return "what it waited for has come"
    if fire.failure is FailureOfWait.TIMEOUT:
        return "it waited too long: its time-out passed"
    lines = (fire.error or "").strip().splitlines()
    return f"its trigger failed: {lines[-1]}" if lines else "its trigger failed"
