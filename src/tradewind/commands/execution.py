"""The execution desk: answers an agent's exchange. One transaction per exchange; claims, reports and pushes are written
set by set.

Order: messages keep their order. Only the loss of what an earlier incarnation ran, which a `Hello` brings with it,
comes last, so that outcomes which the agent kept on disk from before are taken first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tradewind.domain.retry import DEFAULT_LIMITS, RetryLimits
from tradewind.kernel.clock import Clock
from tradewind.kernel.log import get_logger
from tradewind.ports.rows import ComponentRow, TaskRow
from tradewind.ports.store import Store, Transaction
from tradewind.ports.vault import Vault
from tradewind.wire.errors import BadInput, TradewindError
from tradewind.wire.execution import (
    AgentMessage,
    Claim,
    ConnectionFacts,
    DeleteVariable,
    DeleteXCom,
    Done,
    Exchange,
    FoundXCom,
    GetAssetEvents,
    GetAssets,
    GetConnection,
    GetDag,
    GetPreviousRun,
    GetStates,
    GetVariable,
    Go,
    Heartbeat,
    Hello,
    PullXCom,
    PushXCom,
    RecordRendered,
    Refused,
    Reply,
    Report,
    Run,
    SetVariable,
    Stop,
    Stops,
    Text,
    TriggerRun,
    Values,
)
from tradewind.wire.states import TERMINAL_STATES, DagRunState, TaskInstanceState

from . import asset_questions, dag_questions, secrets, task_questions
from .attempts import Settlement
from .documents import Documents

FORGOTTEN_AFTER = timedelta(seconds=60)
"""Longer than any exchange can be under way."""

S = TaskInstanceState
IdMaker = Callable[[], str]
log = get_logger("execution")


class ExecutionDesk:
    """Stateless but for the document cache; one per server thread.

    Parameters: `store`, `clock`, `vault` (secrets for tasks), `new_id` (UUIDv7 text), `limits` (of retries).
    """

    def __init__(
        self, store: Store, clock: Clock, vault: Vault, new_id: IdMaker, limits: RetryLimits = DEFAULT_LIMITS
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._new_id = new_id
        self._limits = limits
        self._documents = Documents()

    def exchange(self, exchange: Exchange) -> list[Reply]:
        """Replies in the order of the messages. Raises `Unavailable` when the database is: the agent comes again."""
        now = self._clock.now()
        with self._store.begin() as tx:
            return Sitting(tx, exchange, now, self._documents, self._vault, self._new_id, self._limits).run()


class Sitting:
    """One exchange at the desk. Triggerers have one of their own, for attempts that wait."""

    def __init__(
        self,
        tx: Transaction,
        exchange: Exchange,
        now: datetime,
        documents: Documents,
        vault: Vault,
        new_id: IdMaker,
        limits: RetryLimits,
    ) -> None:
        self.tx = tx
        self.exchange = exchange
        self.now = now
        self.documents = documents
        self.vault = vault
        self.new_id = new_id
        self.limits = limits
        self.hostname = exchange.agent.partition(":")[0]
        self.attempts: dict[str, TaskRow] = {}
        self.started: set[str] = set()
        self.ended: set[str] = set()
        self.replaced: list[ComponentRow] = []
        self.settlement = self._new_settlement()

    def run(self) -> list[Reply]:
        messages = self.exchange.messages
        tokens = {m.token for m in messages if not isinstance(m, (Hello, Heartbeat))}
        if tokens:
            self.attempts.update(self.tx.task_by_token(tokens, lock=True))
        inputs = self._inputs(messages)
        replies = [self._answer(m, inputs) for m in messages]
        self._flush()
        for gone in self.replaced:
            self._lose(gone)
        self._flush()
        return replies

    def _new_settlement(self) -> Settlement:
        return Settlement(self.tx, self.documents, self.now, self.limits, self.attempts, self.vault)

    def _flush(self) -> None:
        self.settlement.write()
        self.settlement = self._new_settlement()

    def _answer(self, message: AgentMessage, inputs: dict[str, list[FoundXCom]]) -> Reply:
        match message:
            case Hello():
                return self._hello(message)
            case Claim():
                return self._claim(message, inputs)
            case Report():
                return self._report(message)
            case PushXCom(token, entries):
                row = self._live(token)
                if isinstance(row, Stop):
                    return row
                self.settlement.push(row, entries)
                return Done()
            case Heartbeat(tokens):
                return self._heartbeat(tokens)
            case _:
                row = self._live(message.token)
                if isinstance(row, Stop):
                    return row
                self._flush()
                try:
                    return self._ask(message, row)
                except TradewindError as error:
                    return Refused(type(error).__name__, str(error))

    def _live(self, token: str) -> TaskRow | Stop:
        """The running attempt behind a token, or why there is none."""
        row = self.attempts.get(token)
        if row is None:
            return Stop(
                "this attempt is not the current one any more: the task was cleared, marked, retried or its run is gone"
            )
        if token in self.ended or (row.state not in (S.RUNNING, S.RESTARTING) and token not in self.started):
            return Stop(f"this attempt is over: the task is {row.state or 'without status'}")
        return row

    def _inputs(self, messages: list[AgentMessage]) -> dict[str, list[FoundXCom]]:
        wanted = [
            (self.attempts[m.token].run_key, m.inputs)
            for m in messages
            if isinstance(m, Claim) and m.inputs and m.token in self.attempts
        ]
        return self.tx.xcom_inputs(wanted) if wanted else {}

    def _claim(self, claim: Claim, inputs: dict[str, list[FoundXCom]]) -> Reply:
        row = self.attempts.get(claim.token)
        if row is None:
            return Stop(
                "this attempt is not the current one any more: the task was cleared, marked, retried or its run is gone"
            )
        if row.state is S.QUEUED and row.agent not in (None, self.exchange.incarnation):
            return Stop("this attempt was granted to another agent")
        if row.state is S.QUEUED and claim.token not in self.started:
            self.settlement.start(
                row, claim.token, agent=self.exchange.incarnation, hostname=self.hostname, pid=claim.pid, at=claim.at
            )
            self.started.add(claim.token)
        elif row.state is S.RUNNING and row.agent != self.exchange.incarnation:
            return Stop("another agent runs this attempt")
        elif row.state not in (S.QUEUED, S.RUNNING):
            return Stop(f"this attempt is over: the task is {row.state or 'without status'}")
        wanted = set(claim.inputs)
        return Go({found.task_id: found.value for found in inputs.get(row.run_key, ()) if found.task_id in wanted})

    def _report(self, report: Report) -> Reply:
        token = report.token
        row = self.attempts.get(token)
        if row is None:
            return Stop("the attempt is over already: the task was cleared, marked, retried or its run is gone")
        if token in self.ended or row.state is report.outcome.state:
            return Done()  # the same report again
        if row.state in TERMINAL_STATES:
            return Stop(f"the attempt was ended as {row.state} before: {row.reason or 'no reason is known'}")
        if row.state is S.QUEUED and token not in self.started and report.outcome.state is not S.FAILED:
            self.settlement.start(
                row, token, agent=self.exchange.incarnation, hostname=self.hostname, pid=0, at=report.outcome.started_at
            )
            self.started.add(token)
        self.settlement.end(row, token, report.outcome)
        self.ended.add(token)
        return Done()

    def _heartbeat(self, tokens: tuple[str, ...]) -> Reply:
        if not self.tx.component_beat("agent", self.exchange.incarnation):
            return Refused(
                "NotFound",
                "this agent is not registered (it was declared lost, or this database is new to it): say Hello again",
            )
        running = {row.attempt_token: row for row in self.tx.task_list_of_agent(self.exchange.incarnation)}
        others = [token for token in tokens if token not in running]
        known = self.tx.task_by_token(others, lock=False) if others else {}
        stops: dict[str, str] = {}
        for token in others:
            row = known.get(token)
            if row is None:
                stops[token] = "the task was cleared, marked or retried"
            elif row.state is not S.QUEUED and token not in self.ended and token not in self.started:
                stops[token] = f"the task is {row.state or 'without status'}: its attempt was ended from outside"
        self._lose_forgotten([row for token, row in running.items() if token not in tokens and token not in self.ended])
        return Stops(stops)

    def _lose_forgotten(self, rows: list[TaskRow]) -> None:
        """Running or granted by the books, but the agent does not have them: nobody would ever end them.

        Young ones may be on their way.
        """
        for row in rows:
            since = row.started_at or row.queued_at
            if since is not None and self.now - since > FORGOTTEN_AFTER:
                self.settlement.lose(row, f"agent {self.exchange.agent} does not know this attempt any more")
                log.warning("attempt_forgotten", agent=self.exchange.agent, ti_id=row.ti_id)

    def _hello(self, hello: Hello) -> Reply:
        row = ComponentRow(
            kind="agent",
            id=self.exchange.incarnation,
            name=self.exchange.agent,
            hostname=hello.hostname,
            pid=hello.pid,
            started_at=self.now,
            heartbeat_at=self.now,
            slots=hello.slots,
            executor=hello.executor,
            queues=hello.queues,
        )
        self.replaced += [gone for gone in self.tx.component_start(row) if gone.id != self.exchange.incarnation]
        self.tx.ring("agents")
        return Done()

    def _lose(self, gone: ComponentRow) -> None:
        lost = self.tx.task_list_of_agent(gone.id)
        for attempt in lost:
            self.settlement.lose(
                attempt, f"agent {gone.name} (pid {gone.pid} on {gone.hostname}) ended and was started again"
            )
        if lost:
            log.warning("agent_restarted", agent=gone.name, incarnation=gone.id, attempts_lost=len(lost))

    def _ask(self, message: AgentMessage, row: TaskRow) -> Reply:
        tx = self.tx
        match message:
            case PullXCom():
                return Values(tuple(self._pull(message, row)))
            case DeleteXCom(_, key):
                tx.xcom_delete(row.ti_id, key)
            case RecordRendered(_, fields):
                tx.rendered_put(row.ti_id, fields)
            case GetVariable(_, key):
                return Text(secrets.variable_value(tx, self.vault, key))
            case SetVariable(_, key, value, description):
                secrets.set_variable(tx, self.vault, key, value, description)
            case DeleteVariable(_, key):
                secrets.delete_variable(tx, key)
            case GetConnection(_, conn_id):
                return self._connection(conn_id)
            case GetPreviousRun():
                return self._previous_run(message, row)
            case GetStates():
                return dag_questions.states(tx, self.documents, message)
            case TriggerRun():
                return dag_questions.trigger(tx, self.documents, self.now, self.new_id, message)
            case GetDag():
                return dag_questions.dag_facts(tx, self.documents, message)
            case GetAssetEvents() | GetAssets():
                return asset_questions.answer(tx, message, row)
            case _:
                return task_questions.answer(tx, message, row, self.now)
        return Done()

    def _pull(self, ask: PullXCom, row: TaskRow) -> list[FoundXCom]:
        dag_id, run_id = ask.dag_id or row.dag_id, ask.run_id or row.run_id
        found = self.tx.xcom_find(
            dag_id, run_id, ask.task_ids, ask.key, map_paths=ask.map_paths, map_prefix=ask.map_prefix
        )
        if found or not ask.include_prior_dates:
            return found
        run = self.tx.run_find(dag_id, run_id)
        while run is not None and run.logical_date is not None:
            run = self.tx.run_previous(dag_id, run.logical_date)
            if run is None:
                return []
            found = self.tx.xcom_find(
                dag_id, run.run_id, ask.task_ids, ask.key, map_paths=ask.map_paths, map_prefix=ask.map_prefix
            )
            if found:
                return found
        return []

    def _connection(self, conn_id: str) -> ConnectionFacts:
        return secrets.connection_facts(self.tx, self.vault, conn_id)

    def _previous_run(self, ask: GetPreviousRun, row: TaskRow) -> Run:
        states = [_run_state(ask.state)] if ask.state else None
        own = self.tx.run_get(row.run_key)
        if own is None or own.logical_date is None:
            return Run()
        before = self.tx.run_previous(row.dag_id, own.logical_date, states=states)
        if before is None:
            return Run()
        return Run(
            run_id=before.run_id,
            run_type=before.run_type,
            state=before.state,
            logical_date=before.logical_date,
            data_interval_start=before.data_interval_start,
            data_interval_end=before.data_interval_end,
            start_date=before.started_at,
            end_date=before.ended_at,
        )


def _run_state(name: str) -> DagRunState:
    try:
        return DagRunState(name)
    except ValueError:
        known = ", ".join(DagRunState)
        raise BadInput(f"there is no state {name!r} of a run; use one of {known}") from None
