"""What a running task asks beside its inputs: its own memory, that of assets, and facts of runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from tradewind.ports.rows import RunRow, TaskRow
from tradewind.ports.state_store_rows import StateRow, StateScope, task_place
from tradewind.ports.store import Transaction
from tradewind.wire.errors import BadInput, LimitExceeded, NotFound
from tradewind.wire.execution import (
    AgentMessage,
    Count,
    CountRuns,
    Done,
    DropState,
    GetPreviousTask,
    GetRunState,
    GetState,
    PutState,
    Refused,
    Reply,
    TaskFacts,
    Text,
)
from tradewind.wire.ids import path_of
from tradewind.wire.states import DagRunState

KEY_LENGTH_MAX = 512
VALUE_BYTES_MAX = 65_535
RETENTION = timedelta(days=30)
"""How long a task's value is kept that was written without a wish; values of assets are kept for ever."""
_LOOK_BACK_MAX = 100
_RUNS_MAX = 1_000_000


def answer(tx: Transaction, message: AgentMessage, row: TaskRow, now: datetime) -> Reply:
    """The reply to a question of the attempt of `row`. Raises `TradewindError` for the author of the DAG."""
    match message:
        case GetState():
            found = tx.state_get(*_place(message.asset, row), message.key, now)
            return Text(None if found is None else found.value)
        case PutState():
            _put_state(tx, message, row, now)
        case DropState():
            scope, place = _place(message.asset, row)
            if message.key is None:
                tx.state_clear(scope, place)
            else:
                tx.state_delete(scope, place, message.key)
        case CountRuns():
            return Count(len(_runs(tx, message)))
        case GetRunState(_, dag_id, run_id):
            run = tx.run_find(dag_id, run_id)
            if run is None:
                raise NotFound(f"DAG {dag_id!r} has no run {run_id!r}")
            return Text(run.state.value)
        case GetPreviousTask():
            return _previous_task(tx, message, row)
        case _:
            return Refused("BadInput", f"message {type(message).__name__} has no place here")
    return Done()


def _place(asset: str | None, row: TaskRow) -> tuple[StateScope, str]:
    if asset is not None:
        return StateScope.ASSET, asset
    return StateScope.TASK, task_place(row.dag_id, row.run_id, row.task_id, row.map_path)


def check_state(key: str, value: str) -> None:
    """Raises `BadInput` for a key that is empty or too long, `LimitExceeded` for a value that is too big."""
    if not key or len(key) > KEY_LENGTH_MAX:
        raise BadInput(f"the key of a state must have 1 to {KEY_LENGTH_MAX} characters, not {len(key)}")
    size = len(value.encode())
    if size > VALUE_BYTES_MAX:
        raise LimitExceeded(
            f"the value of state {key!r} has {size} bytes of JSON; at most {VALUE_BYTES_MAX} are kept: "
            "write the data to a file or table and keep its location"
        )


def _put_state(tx: Transaction, message: PutState, row: TaskRow, now: datetime) -> None:
    check_state(message.key, message.value)
    scope, place = _place(message.asset, row)
    seconds = message.retention_seconds
    if seconds is None:
        expires = now + RETENTION if scope is StateScope.TASK else None
    else:
        expires = None if seconds < 0 else now + timedelta(seconds=seconds)
    owned = scope is StateScope.TASK
    tx.state_put(
        StateRow(
            scope=scope,
            place=place,
            key=message.key,
            value=message.value,
            ti_id=row.ti_id if owned else None,
            dag_id=row.dag_id if owned else None,
            run_id=row.run_id if owned else None,
            task_id=row.task_id if owned else None,
            map_path=row.map_path if owned else None,
            updated_at=now,
            expires_at=expires,
        )
    )


def _runs(tx: Transaction, ask: CountRuns) -> list[RunRow]:
    states = None if ask.states is None else {_state(name) for name in ask.states}
    if ask.run_ids is not None:
        found = [run for run_id in ask.run_ids if (run := tx.run_find(ask.dag_id, run_id)) is not None]
    elif ask.logical_dates is not None:
        found = []
        for date in ask.logical_dates:
            found += [run for run in tx.run_list_window(ask.dag_id, date, date) if run.logical_date == date]
    else:
        return tx.list_runs(dag_id=ask.dag_id, states=sorted(states or ()), limit=_RUNS_MAX)
    dates = None if ask.logical_dates is None else set(ask.logical_dates)
    return [
        run for run in found if (states is None or run.state in states) and (dates is None or run.logical_date in dates)
    ]


def _state(name: str) -> DagRunState:
    try:
        return DagRunState(name)
    except ValueError:
        raise BadInput(f"there is no state {name!r} of a run; use one of {', '.join(DagRunState)}") from None


def _previous_task(tx: Transaction, ask: GetPreviousTask, row: TaskRow) -> TaskFacts:
    own = tx.run_get(row.run_key)
    before = ask.before or (own.logical_date if own is not None else None)
    for _ in range(_LOOK_BACK_MAX):
        run = None if before is None else tx.run_previous(row.dag_id, before)
        if run is None:
            return TaskFacts()
        for each in tx.task_list(run.run_key, (row.task_id,)):
            if each.map_path == ask.map_path and (ask.state is None or each.state == ask.state):
                return _facts(each, run)
        before = run.logical_date
    return TaskFacts()


def _facts(row: TaskRow, run: RunRow) -> TaskFacts:
    path = path_of(row.map_path)
    return TaskFacts(
        task_id=row.task_id,
        dag_id=row.dag_id,
        run_id=row.run_id,
        logical_date=run.logical_date,
        start_date=row.started_at,
        end_date=row.ended_at,
        state=row.state,
        try_number=row.try_number,
        map_index=path[-1] if path else -1,
        duration=row.seconds,
    )
