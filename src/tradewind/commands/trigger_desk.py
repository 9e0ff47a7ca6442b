"""The desk of triggerers: what triggers ask, and how their events end waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tradewind.domain.retry import DEFAULT_LIMITS, RetryLimits
from tradewind.kernel.clock import Clock
from tradewind.ports.rows import TaskRow
from tradewind.ports.store import Store, Transaction
from tradewind.ports.trigger_rows import TriggerFire, TriggerRow
from tradewind.ports.vault import Vault
from tradewind.wire.execution import AgentMessage, Exchange, Outcome, Reply, Stop
from tradewind.wire.states import TaskInstanceState

from .attempts import Settlement
from .documents import Documents
from .execution import IdMaker, Sitting
from .task_callbacks import of_ended_attempt
from .waits import WAITING, end_waits, opened_kwargs

S = TaskInstanceState


class TriggerDesk:
    """As the execution desk, for attempts that wait. One per triggerer."""

    def __init__(
        self, store: Store, clock: Clock, vault: Vault, new_id: IdMaker, limits: RetryLimits = DEFAULT_LIMITS
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._new_id = new_id
        self._limits = limits
        self._documents = Documents()

    def answer(self, triggerer: str, messages: Sequence[AgentMessage]) -> list[Reply]:
        """Replies to what triggers ask, in order. Raises `Unavailable`."""
        exchange = Exchange(agent=triggerer, incarnation=triggerer, sequence=0, messages=list(messages))
        with self._store.begin() as tx:
            now = self._clock.now()
            return _WaitingSitting(tx, exchange, now, self._documents, self._vault, self._new_id, self._limits).run()

    def kwargs(self, row: TriggerRow) -> str:
        """What the trigger is made with. Raises `InvalidValue` when it cannot be opened any more."""
        return opened_kwargs(row, self._vault)

    def end(self, tx: Transaction, fires: Sequence[TriggerFire], ends: Sequence[tuple[str, Outcome]]) -> None:
        """Waits are over.

        Parameters:
            fires: with an event or a failure: the tasks go on.
            ends: (token, outcome): the tasks themselves are over.
        """
        now = self._clock.now()
        if fires:
            end_waits(tx, fires, now)
        if ends:
            self._end_tasks(tx, dict(ends), now)

    def _end_tasks(self, tx: Transaction, outcomes: dict[str, Outcome], now: datetime) -> None:
        rows = tx.task_by_token(outcomes, lock=True)
        waiting = {token: row for token, row in rows.items() if row.state in WAITING}
        # What was kept of the wait goes with the end of the try.
        tx.trigger_fire([TriggerFire(token=token) for token in waiting])
        settlement = Settlement(tx, self._documents, now, self._limits)
        for token, row in waiting.items():
            settlement.end(row, token, outcomes[token])
        moved = settlement.write()
        for token, row in waiting.items():
            if row.ti_id in moved and outcomes[token].state in (S.SUCCESS, S.SKIPPED):
                self._call_back(tx, row, outcomes[token], now)

    def _call_back(self, tx: Transaction, row: TaskRow, outcome: Outcome, now: datetime) -> None:
        """No process of the task was there to call its callbacks; those of a failure are the settlement's."""
        dag = self._documents.get(tx, row.version_id)
        task, run = dag.tasks.get(row.task_id), tx.run_get(row.run_key)
        if task is not None and task.has_callbacks and run is not None:
            line = of_ended_attempt(row, run, dag, outcome.state, outcome.reason, now, self._new_id)
            tx.outbox_put([line])


class _WaitingSitting(Sitting):
    """Answers for attempts that wait."""

    def _live(self, token: str) -> TaskRow | Stop:
        row = self.attempts.get(token)
        if row is None or row.state not in WAITING:
            return Stop("the task does not wait any more")
        return row
