"""Moving in from Airflow: its connections, variables, pools, pause states, users and ended runs become ours.

Each thing is compared first, so that a second move changes nothing, and what is here already and differs is left alone
unless `overwrite` says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tradewind.kernel.ids import uuid7
from tradewind.ports.airflow_facts import AirflowFacts, AirflowPool, AirflowRun, AirflowTask, AirflowUser
from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.store import Transaction
from tradewind.ports.vault import Vault
from tradewind.wire.errors import BadInput
from tradewind.wire.states import TERMINAL_STATES, DagRunState, DagRunTriggeredBy, DagRunType, TaskInstanceState

from .people_from_airflow import move_user
from .pools import set_pool
from .secrets import connection_facts, set_connection, set_variable, variable_value

_RUN_TYPES = {"dataset_triggered": DagRunType.ASSET_TRIGGERED}
_POOL = "default_pool"


class Moved(NamedTuple):
    """What became of one thing."""

    kind: str
    name: str
    outcome: str
    """new, same, changed, kept, left."""
    note: str = ""


def move_from_airflow(
    tx: Transaction, vault: Vault, facts: AirflowFacts, now: datetime, *, overwrite: bool = False, dry: bool = False
) -> list[Moved]:
    """Bring the facts in; what became of each.

    Parameters:
        overwrite: replace what is here and differs.
        dry: only say what would become of each; nothing is written.
    """
    how = _How(tx, vault, now, overwrite, dry)
    return [
        *_connections(how, facts),
        *_variables(how, facts),
        *(_pool(how, pool) for pool in facts.pools),
        *_paused(how, facts.paused),
        *(_user(how, user) for user in facts.users),
        *_history(how, facts.runs),
        *(Moved("airflow", line, "left") for line in facts.left),
    ]


class _How(NamedTuple):
    tx: Transaction
    vault: Vault
    now: datetime
    overwrite: bool
    dry: bool

    def decide(self, kind: str, name: str, *, exists: bool, same: bool) -> Moved:
        if not exists:
            return Moved(kind, name, "new")
        if same:
            return Moved(kind, name, "same")
        if self.overwrite:
            return Moved(kind, name, "changed")
        return Moved(kind, name, "kept", "it is here already and differs; --overwrite replaces it")

    def writes(self, moved: Moved) -> bool:
        return not self.dry and moved.outcome in ("new", "changed")


def _connections(how: _How, facts: AirflowFacts) -> Iterator[Moved]:
    known = {row.conn_id for row in how.tx.connection_list()}
    for wanted in facts.connections:
        exists = wanted.conn_id in known
        same = exists and connection_facts(how.tx, how.vault, wanted.conn_id) == wanted
        moved = how.decide("connection", wanted.conn_id, exists=exists, same=same)
        if how.writes(moved):
            try:
                set_connection(how.tx, how.vault, wanted)
            except BadInput as error:
                moved = moved._replace(outcome="left", note=str(error))
        yield moved


def _variables(how: _How, facts: AirflowFacts) -> Iterator[Moved]:
    for wanted in facts.variables:
        value = variable_value(how.tx, how.vault, wanted.key)
        moved = how.decide("variable", wanted.key, exists=value is not None, same=value == wanted.value)
        if how.writes(moved):
            set_variable(how.tx, how.vault, wanted.key, wanted.value, wanted.description)
        yield moved


def _pool(how: _How, wanted: AirflowPool) -> Moved:
    row = how.tx.pool_get(wanted.name)
    same = row is not None and (row.slots, row.include_deferred) == (wanted.slots, wanted.include_deferred)
    moved = how.decide("pool", wanted.name, exists=row is not None, same=same)
    if wanted.name == _POOL and moved.outcome == "kept":
        # It always exists: what it was in Airflow is what its tasks are used to.
        moved = moved._replace(outcome="changed", note="")
    if how.writes(moved):
        try:
            set_pool(how.tx, wanted.name, wanted.slots, wanted.description, include_deferred=wanted.include_deferred)
        except BadInput as error:
            moved = moved._replace(outcome="left", note=str(error))
    return moved


def _paused(how: _How, paused: dict[str, bool]) -> Iterator[Moved]:
    known = how.tx.dag_get_many(paused)
    for dag_id, wanted in sorted(paused.items()):
        row = known.get(dag_id)
        if row is None:
            yield Moved("dag", dag_id, "left", "no DAG file here defines it (yet): put the files in place first")
            continue
        if row.is_paused == wanted:
            yield Moved("dag", dag_id, "same")
            continue
        if not wanted:
            # Unpausing starts its schedule: a person does that when the move is done.
            yield Moved("dag", dag_id, "left", "it was active in Airflow: `tradewind dags unpause` when all is moved")
            continue
        if not how.dry:
            how.tx.dag_set_paused(dag_id, True, "as it was in Airflow")
        yield Moved("dag", dag_id, "changed", "paused")


def _user(how: _How, wanted: AirflowUser) -> Moved:
    if how.tx.user_get(wanted.username) is not None:
        return Moved("user", wanted.username, "same")
    if how.dry:
        return Moved("user", wanted.username, "new")
    try:
        note = move_user(how.tx, wanted, how.now)
    except BadInput as error:
        return Moved("user", wanted.username, "left", str(error))
    return Moved("user", wanted.username, "new", note)


def _history(how: _How, runs: list[AirflowRun]) -> Iterator[Moved]:
    """A line per DAG: rows of history are many."""
    outcomes: dict[str, Counter[str]] = {}
    known = how.tx.dag_get_many({run.dag_id for run in runs})
    for run in runs:
        dag = known.get(run.dag_id)
        counted = outcomes.setdefault(run.dag_id, Counter())
        if dag is None:
            counted["left"] += 1
        else:
            counted["new" if _insert(how, run, dag.version_id) else "same"] += 1
    for dag_id, counted in sorted(outcomes.items()):
        outcome = "left" if counted["left"] else "new" if counted["new"] else "same"
        words = ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
        note = "no DAG file here defines it (yet)" if counted["left"] else f"runs: {words}"
        yield Moved("history", dag_id, outcome, note)


def _insert(how: _How, run: AirflowRun, version_id: str) -> bool:
    """Whether the run was (or would be) inserted."""
    if how.tx.run_find(run.dag_id, run.run_id) is not None:
        return False
    if how.dry:
        return True
    key = str(uuid7())
    row = RunRow(
        run_key=key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        version_id=version_id,
        run_type=_run_type(run.run_type),
        triggered_by=DagRunTriggeredBy.TIMETABLE if run.run_type == "scheduled" else DagRunTriggeredBy.REST_API,
        state=DagRunState(run.state),
        run_after=run.run_after,
        logical_date=run.logical_date,
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
        queued_at=run.queued_at,
        started_at=run.started_at,
        ended_at=run.ended_at or run.started_at or how.now,
        conf=run.conf,
        reason="it ran in Airflow",
    )
    if how.tx.run_insert(row) is not None:
        return False
    how.tx.task_insert([_task(key, run, task, version_id) for task in run.tasks])
    return True


def _run_type(text: str) -> DagRunType:
    if text in _RUN_TYPES:
        return _RUN_TYPES[text]
    try:
        return DagRunType(text)
    except ValueError:
        return DagRunType.MANUAL


def _task(run_key: str, run: AirflowRun, task: AirflowTask, version_id: str) -> TaskRow:
    state = TaskInstanceState(task.state) if task.state in {str(one) for one in TERMINAL_STATES} else None
    return TaskRow(
        ti_id=str(uuid7()),
        run_key=run_key,
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=task.task_id,
        map_path="" if task.map_index < 0 else str(task.map_index),
        state=state,
        reason="it ran in Airflow",
        try_number=max(0, task.try_number),
        max_tries=max(0, task.max_tries),
        pool=task.pool,
        queue=task.queue,
        priority_weight=task.priority_weight,
        operator=task.operator,
        queued_at=task.queued_at,
        started_at=task.started_at,
        first_started_at=task.started_at,
        ended_at=task.ended_at,
        duration_seconds=task.duration_seconds,
        hostname=task.hostname,
        version_id=version_id,
    )
